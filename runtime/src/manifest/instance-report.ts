import * as z from 'zod/mini'
import type { Digest } from './digest.ts'

/** Something a runtime did not take, and why. Codes are stable, see `RuntimeErrorCode`. */
export interface ReportedRefusal {
  readonly code: string
  readonly message: string
  readonly since: string
  /** What was not taken; absent when it was a manifest, and in reports of older instances. */
  readonly release?: Digest | undefined
  /**
   * Of the rollout whose canary it was: tells it from another one of the same release. Null when it was
   * to be stable; absent when it was a manifest, and in reports of older instances.
   */
  readonly salt?: string | null | undefined
}

/** Calls of one side of a rollout that were answered by one instance. */
export interface ReportedSide {
  readonly calls: number
  /** Those the function is to blame for. */
  readonly faults: number
  /** Answers that took longer than what was slow at the time. */
  readonly slow: number
  /** Calls the platform made to learn about a quiet function, counted nowhere else. Absent: none. */
  readonly probes?: { readonly calls: number; readonly faults: number } | undefined
}

/** How often a side was called at all: by users, and by probes. */
export function callsOf({ calls, probes }: ReportedSide): number {
  return calls + (probes?.calls ?? 0)
}

/** Why an instance stopped sending calls to a revision, and on what evidence. */
export interface ReportedTrip {
  readonly cause: 'errors' | 'latency'
  readonly at: string
  readonly stable: ReportedSide
  readonly canary: ReportedSide
  /** Milliseconds above which an answer counted as slow; null: too few were seen to say. */
  readonly slowLimitMs: number | null
  /** Of the sequential test; it decides at 1 / the chance to be wrong. */
  readonly evidence: number
}

/** A step of a rollout as one instance came to it. */
export interface ReportedStep {
  /** Tells it from the steps before it, whose weights are lower. */
  readonly weightPercent: number
  /** Calls of the canary in those, probes included: what `measured` counts beyond is of this one. */
  readonly callsBefore: number
}

/** What one instance measured of a rollout since it began there. */
export interface ReportedRollout {
  readonly canary: Digest
  /** The rollout's: tells it from another one of the same canary. */
  readonly salt: string
  readonly since: string
  readonly measured: { readonly stable: ReportedSide; readonly canary: ReportedSide }
  /** The newest step that a call was made in here. Absent in reports of older instances. */
  readonly step?: ReportedStep | undefined
  /** The canary serves nobody here any more. */
  readonly trip: ReportedTrip | null
}

/** A stable that was shown, by one instance, to fail more often than was usual before it. */
export interface ReportedStableFailure {
  /** The release that fails. */
  readonly stable: Digest
  readonly at: string
  /** Calls that were judged, and those that counted against it. */
  readonly calls: number
  readonly faults: number
  /** Share of the calls that failed before it served, as far as the instance knew. */
  readonly usualShare: number
  /** Of the sequential test; it decides at 1 / the chance to be wrong. */
  readonly evidence: number
}

/** A stable that failed within its rollback window, and what an instance serves in its stead. */
export interface ReportedStableTrip extends ReportedStableFailure {
  /** Release that serves now. */
  readonly successor: Digest
}

export interface ReportedFunction {
  /** Release that serves as stable; null when none does. */
  readonly stable: Digest | null
  readonly canary: Digest | null
  readonly weightPercent: number
  readonly stopped: boolean
  /** Version of the manifest that made it so; null when nothing of it serves. */
  readonly manifestVersion: number | null
  readonly refusals: readonly ReportedRefusal[]
  /** Absent without a rollout, and in reports of older instances. */
  readonly rollout?: ReportedRollout | undefined
  /** Stable failed within its rollback window: the release before it serves here. Absent otherwise. */
  readonly stableTrip?: ReportedStableTrip | undefined
  /** Stable fails, and nothing was changed for it: it is for people to decide. Absent otherwise. */
  readonly stableFailure?: ReportedStableFailure | undefined
}

/**
 * What one runtime says about itself, at `environments/<env>/instances/<instance>.json`. Unsigned
 * and best effort: advice about a fleet, never an instruction to it.
 */
export interface InstanceReport {
  readonly specVersion: 1
  readonly environment: string
  readonly instance: string
  readonly reportedAt: string
  readonly startedAt: string
  /**
   * Milliseconds from `startedAt` to this report by a clock that nobody sets, so that reports of one
   * process keep their order when its wall clock is set back. Absent in reports of older instances.
   */
  readonly uptimeMs?: number | undefined
  readonly state: 'starting' | 'ready' | 'notReady'
  /** Whether its manifest has expired, so that it accepts no change but a newer one. */
  readonly frozen: boolean
  /** The manifest it runs; null before the first activation. */
  readonly manifest: {
    readonly epoch: number
    readonly version: number
    readonly digest: Digest
    readonly commit: string | null
    readonly activatedAt: string
    /** From the manifest's issue to its activation here. */
    readonly lagMs: number
  } | null
  /** Why the newest manifest it saw was refused, if it was. */
  readonly refusal: ReportedRefusal | null
  readonly functions: Readonly<Record<string, ReportedFunction>>
  /**
   * It was closed in order and takes no change any more: the last report it writes. Absent: it
   * runs, or died without a word.
   */
  readonly stopped?: boolean | undefined
}

export const reportedSideSchema: z.ZodMiniType<ReportedSide> = z.object({
  calls: z.int().check(z.gte(0)),
  faults: z.int().check(z.gte(0)),
  slow: z.int().check(z.gte(0)),
  probes: z.optional(z.object({ calls: z.int().check(z.gte(0)), faults: z.int().check(z.gte(0)) })),
})
