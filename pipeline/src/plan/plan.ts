import type { GroupDocument, QuarantineEntry, RolloutDecision } from '@needle-faas/runtime/manifest'
import type { PipelineErrorCode } from '../errors.ts'

/** What the next manifest should say; numbers, times and signatures are added when it is committed. */
export interface ManifestDraft {
  readonly commit: string | null
  readonly actor: string
  readonly reason: string
  /** By group name. */
  readonly groups: Readonly<Record<string, GroupDocument>>
  readonly quarantine: readonly QuarantineEntry[]
  /** What of it was decided from measurements. Default: none. */
  readonly decisions?: readonly RolloutDecision[] | undefined
}

export type ChangeKind =
  | 'added'
  | 'updated'
  | 'returned'
  | 'removed'
  | 'canary-started'
  | 'canary-replaced'
  | 'canary-ended'
  | 'canary-stepped'
  | 'step-approved'
  | 'promoted'
  | 'aborted'
  | 'rolled-back'
  | 'held'
  | 'stopped'
  | 'hold-ended'
  | 'quarantined'
  | 'quarantine-cleared'
  | 'signed-again'

/** One difference between the newest manifest and the draft, in words. */
export interface Change {
  readonly kind: ChangeKind
  /** Full name; null when it concerns the whole environment. */
  readonly function: string | null
  readonly text: string
  /** `Name <email>` of everyone whose merged commits are behind it, newest first, where Git tells. */
  readonly authors?: readonly string[]
}

/** A function that was left alone, and why: it is held, whatever Git says, or is as ordered already. */
export interface Kept {
  readonly function: string
  readonly by: string
  readonly reason: string
  readonly text: string
}

/** Why a function, or (`function` null) the whole request, does not go ahead. */
export interface Refusal {
  readonly code: PipelineErrorCode
  readonly function: string | null
  /** Says what to do next. */
  readonly message: string
}

/**
 * The outcome of planning. Refusals of single functions may stand beside a draft: the others go
 * ahead and the exit code says that not everything did.
 */
export interface Plan {
  /** Null when there is nothing to change. */
  readonly draft: ManifestDraft | null
  readonly changes: readonly Change[]
  readonly kept: readonly Kept[]
  readonly refusals: readonly Refusal[]
}

/** A plan that does nothing but say why. */
export function refuse(
  code: PipelineErrorCode,
  functionName: string | null,
  message: string,
): Plan {
  return {
    draft: null,
    changes: [],
    kept: [],
    refusals: [{ code, function: functionName, message }],
  }
}
