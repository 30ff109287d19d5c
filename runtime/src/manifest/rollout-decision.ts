import * as z from 'zod/mini'
import { type ReportedSide, reportedSideSchema } from './instance-report.ts'

/** What a decision about a rollout was based on. */
export interface DecisionEvidence {
  /** Calls since the rollout began, of all instances that count. */
  readonly stable: ReportedSide
  readonly canary: ReportedSide
  /** Instances heard of lately that have the function. */
  readonly live: number
  /** Those of them that run the step. */
  readonly voted: number
  /** Those that still run an older manifest, or have no canary to serve. */
  readonly late: number
  /** Instances not heard of for minutes. */
  readonly dead: number
  /** Reports that cannot be true, or are of something else. */
  readonly refused: number
  /** What Prometheus answered; absent when it was not asked. */
  readonly metric?: number | undefined
}

/** One change of a manifest that was decided from measurements, not by a person. */
export interface RolloutDecision {
  /** Full name. */
  readonly function: string
  /** `step`, `promote`, `abort` or `rollback`. */
  readonly kind: string
  /** `successful` or `failed`; `pending` for a first step, which nothing was measured of. */
  readonly verdict: string
  readonly text: string
  readonly evidence: DecisionEvidence
}

/**
 * How many decisions one manifest takes, each of about 500 bytes, so that it stays far from
 * `sizeLimit.manifestBytes`. More wait for the next.
 */
export const decisionsPerManifest = 20

export const rolloutDecisionSchema: z.ZodMiniType<RolloutDecision> = z.object({
  function: z.string(),
  kind: z.string(),
  verdict: z.string(),
  text: z.string(),
  evidence: z.object({
    stable: reportedSideSchema,
    canary: reportedSideSchema,
    live: z.int(),
    voted: z.int(),
    late: z.int(),
    dead: z.int(),
    refused: z.int(),
    metric: z.optional(z.number()),
  }),
})
