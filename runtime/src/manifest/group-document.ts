import * as z from 'zod/mini'
import { type AnalysisLimits, analysisLimitsSchema } from './analysis-limits.ts'
import { type Digest, digestSchema } from './digest.ts'
import { type FreezeWindow, freezeWindowSchema } from './freeze-window.ts'
import { nameSegmentSchema } from './function-name.ts'
import { sizeLimit } from './size-limit.ts'
import { type StickyKeySource, stickyKeySourceSchema } from './sticky-key-source.ts'

/**
 * Points at a release and repeats the pair that quarantine is about, so that a quarantined
 * revision is refused before anything of it is fetched. A release that disagrees is refused.
 */
export interface ReleaseRef {
  readonly release: Digest
  /** Of the signed release document. */
  readonly sizeBytes: number
  readonly artifact: Digest
  readonly settings: Digest
}

export interface RolloutStep {
  readonly weightPercent: number
  /** Shortest stay at this step before the next may be taken. */
  readonly bakeMs: number
  /** Whether a person must agree before this step begins. Default false. */
  readonly approval?: boolean | undefined
}

/** A measurement of a team's own that a canary must pass, asked for when its policy has one. */
export interface PrometheusCheck {
  /** PromQL with one number for an answer; `$function`, `$canary` and `$stable` stand for names. */
  readonly query: string
  /** A higher answer stops the canary. */
  readonly max: number
}

/** That a person agreed to a step. */
export interface StepApproval {
  /** Index into `steps`. */
  readonly step: number
  readonly by: string
  readonly reason: string
  readonly at: string
}

/** The move of a function's traffic from stable to canary. */
export interface Rollout {
  readonly canary: ReleaseRef
  readonly steps: readonly RolloutStep[]
  /** Index into `steps`. */
  readonly step: number
  /** Integer percent of keys the canary serves now; 0 until the first step has begun. */
  readonly weightPercent: number
  /** Random per publish: which keys meet a canary differs from one to the next. */
  readonly salt: string
  /** When this step began. */
  readonly since: string
  /** When the canary counts as bad. Absent: `defaultAnalysisLimits`. */
  readonly analysis?: AnalysisLimits | undefined
  /** Version of the manifest that began this step: since when it lasts, by the clock of the store. */
  readonly sinceVersion?: number | undefined
  /** Calls of the canary that had been counted when this step began. Default 0. */
  readonly callsBefore?: number | undefined
  /** The newest approval. */
  readonly approved?: StepApproval | undefined
  /** When no step is taken. Default: none. */
  readonly freeze?: readonly FreezeWindow[] | undefined
  /** How long after its promotion a release that turns bad goes back by itself. Default 10 minutes. */
  readonly rollbackWindowMs?: number | undefined
  readonly prometheus?: PrometheusCheck | undefined
  /**
   * What a caller is known by, the same for as long as the rollout lasts, or sides would change.
   * Absent, or not there in a request: as the host says.
   */
  readonly stickyKey?: StickyKeySource | undefined
}

/** `rollbackWindowMs` where nobody says otherwise. */
export const defaultRollbackWindowMs = 10 * 60 * 1000

/** A function kept as it is against what Git says. `until` only reminds: only a new manifest changes what serves. */
export interface Hold {
  /** `revision`: `stable` is pinned. `stopped`: the function answers 503. */
  readonly mode: 'revision' | 'stopped'
  readonly by: string
  readonly reason: string
  readonly since: string
  readonly until: string | null
  /**
   * Left by a rollback or an abort: the hold stays while Git still says a quarantined pair and ends
   * with the publish that finds Git saying anything else (the revert, or a fix). Absent: only a
   * person ends it.
   */
  readonly endsWithMerge?: boolean
  /** Of a stop: the hold it was put over, which holds again once the function is resumed. Absent: none. */
  readonly covers?: CoveredHold
}

export type CoveredHold = Omit<Hold, 'covers'>

/** Desired state of one function. */
export interface FunctionState {
  readonly stable: ReleaseRef
  /** Proven releases that served before, newest first; runtimes keep them warm so that a rollback is instant. */
  readonly previous: readonly ReleaseRef[]
  readonly rollout: Rollout | null
  readonly hold: Hold | null
  /**
   * Until when a stable that turns bad goes back to the newest of `previous` by itself, as a canary
   * would go back to stable. Absent, or past: it raises an alarm and changes nothing.
   */
  readonly rollbackUntil?: string | undefined
  /** Version of the manifest since which `stable` serves all and has that time. */
  readonly rollbackSinceVersion?: number | undefined
}

/**
 * Content-addressed part of a manifest: everything of one group. Functions by their name below the group.
 *
 * Keys that this version does not know are kept where they stand, for as long as what they stand in:
 * the group, the function, its rollout, the step, the hold, a release that is named. One that is to end
 * sooner must say so itself, as `rollbackUntil` names a time.
 */
export interface GroupDocument {
  readonly specVersion: 1
  readonly group: string
  readonly functions: Readonly<Record<string, FunctionState>>
}

/** How many proven releases a publisher keeps in `previous`. */
export const previousReleasesKept = 2

// Loose, down to the bottom: who changes one function writes all of its group again, and must not take
// from the others, nor from this one, what only a later version of it knows.
const releaseRefSchema: z.ZodMiniType<ReleaseRef> = z.looseObject({
  release: digestSchema,
  sizeBytes: z.int().check(z.gte(1), z.lte(sizeLimit.releaseBytes)),
  artifact: digestSchema,
  settings: digestSchema,
})

const weightPercentSchema = z.int().check(z.gte(0), z.lte(100))

const rolloutSchema: z.ZodMiniType<Rollout> = z
  .looseObject({
    canary: releaseRefSchema,
    steps: z
      .array(
        z.looseObject({
          weightPercent: weightPercentSchema,
          bakeMs: z.int().check(z.gte(0)),
          approval: z.optional(z.boolean()),
        }),
      )
      .check(z.minLength(1), z.maxLength(20)),
    step: z.int().check(z.gte(0)),
    weightPercent: weightPercentSchema,
    salt: z.string().check(z.minLength(8), z.maxLength(64)),
    since: z.iso.datetime(),
    analysis: z.optional(analysisLimitsSchema),
    sinceVersion: z.optional(z.int().check(z.gte(1))),
    callsBefore: z.optional(z.int().check(z.gte(0))),
    approved: z.optional(
      z.looseObject({ step: z.int(), by: z.string(), reason: z.string(), at: z.iso.datetime() }),
    ),
    freeze: z.optional(z.array(freezeWindowSchema)),
    rollbackWindowMs: z.optional(z.int().check(z.gte(0))),
    prometheus: z.optional(z.looseObject({ query: z.string(), max: z.number() })),
    stickyKey: z.optional(stickyKeySourceSchema),
  })
  .check(z.refine((rollout) => rollout.step < rollout.steps.length, 'step is past the last step'))

const holdShape = {
  mode: z.enum(['revision', 'stopped']),
  by: z.string(),
  reason: z.string(),
  since: z.iso.datetime(),
  until: z.nullable(z.iso.datetime()),
  endsWithMerge: z.exactOptional(z.boolean()),
}

export const functionStateSchema: z.ZodMiniType<FunctionState> = z.looseObject({
  stable: releaseRefSchema,
  previous: z.array(releaseRefSchema).check(z.maxLength(10)),
  rollout: z.nullable(rolloutSchema),
  hold: z.nullable(
    z.looseObject({ ...holdShape, covers: z.exactOptional(z.looseObject(holdShape)) }),
  ),
  rollbackUntil: z.optional(z.iso.datetime()),
  rollbackSinceVersion: z.optional(z.int().check(z.gte(1))),
})

/** A group document whose functions have still to be looked at, each by itself. */
export interface GroupFrame extends Omit<GroupDocument, 'functions'> {
  readonly functions: Readonly<Record<string, unknown>>
}

export const groupFrameSchema: z.ZodMiniType<GroupFrame> = z.looseObject({
  specVersion: z.literal(1),
  group: nameSegmentSchema,
  functions: z.record(nameSegmentSchema, z.unknown()),
})
