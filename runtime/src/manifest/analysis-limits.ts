import * as z from 'zod/mini'

/** When a canary is worse than stable by more than its owners accept. */
export interface AnalysisLimits {
  /**
   * Smallest rise of the share of failed calls over stable's that stops a canary: 0.01 is one call
   * in a hundred.
   */
  readonly errorRise: number
  /** The quantile of stable's durations that says how long a call usually takes at most: 0.95. */
  readonly latencyQuantile: number
  /** A call is slow when it takes longer than so many times that, */
  readonly latencyFactor: number
  /** and longer than that by more than this. */
  readonly latencyToleranceMs: number
  /** Smallest rise of the share of slow calls over stable's that stops a canary. */
  readonly slowRise: number
  /** Calls of the canary, in the whole fleet, before a step counts as passed. */
  readonly minimumCalls: number
}

/** What holds where nobody says otherwise. */
export const defaultAnalysisLimits: AnalysisLimits = Object.freeze({
  errorRise: 0.01,
  latencyQuantile: 0.95,
  latencyFactor: 1.5,
  latencyToleranceMs: 20,
  slowRise: 0.05,
  minimumCalls: 100,
})

const shareSchema = z.number().check(z.gte(0.001), z.lte(0.4))

/** Bounds of each limit, for schemas that ask for some of them only. */
export const analysisLimitsShape = {
  errorRise: shareSchema,
  latencyQuantile: z.number().check(z.gte(0.5), z.lte(0.999)),
  latencyFactor: z.number().check(z.gte(1), z.lte(100)),
  latencyToleranceMs: z.number().check(z.gte(0), z.lte(60_000)),
  slowRise: shareSchema,
  minimumCalls: z.int().check(z.gte(1), z.lte(1_000_000)),
} as const

export const analysisLimitsSchema: z.ZodMiniType<AnalysisLimits> =
  z.looseObject(analysisLimitsShape)
