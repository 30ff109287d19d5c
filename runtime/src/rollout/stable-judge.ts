import { defaultAnalysisLimits } from '../manifest/analysis-limits.ts'
import { tripProbability } from './breaker.ts'
import type { Tally } from './sequential-test.ts'
import { createShareTest } from './share-test.ts'
import { priorBad, priorCalls } from './stakes.ts'

/** What shows that a stable fails too often. */
export interface StableVerdict {
  readonly calls: number
  readonly faults: number
  /** Share of the calls that failed before it served, as far as this instance knows. */
  readonly usualShare: number
  /** At least 1 / `tripProbability`. */
  readonly evidence: number
}

/** Watches how often a stable fails when there is nothing to compare it with at the same time. */
export interface StableJudge {
  /** Further calls. Once: when it has been shown to fail too often. */
  add(calls: Tally): StableVerdict | null
}

/** More than that is a function nobody can judge by its failures. */
const mostShare = 0.9

/**
 * Judges a stable by what was usual before it: it fails too often at more than twice the usual share
 * of failed calls and `errorRise`, which leaves room for what was counted by chance. See `createShareTest`.
 *
 * @param before calls of what served before it, of which none may be known
 */
export function createStableJudge(
  before: Tally,
  errorRise = defaultAnalysisLimits.errorRise,
): StableJudge {
  const usualShare = (before.bad + priorBad) / (before.calls + priorCalls)
  const test = createShareTest({
    highestShare: Math.min(mostShare, 2 * usualShare + errorRise),
    leastRise: errorRise,
  })
  let calls = 0
  let faults = 0
  let hasDecided = false

  return {
    add: (further) => {
      if (hasDecided) return null
      calls += further.calls
      faults += further.bad
      test.add(further)
      if (test.evidence < 1 / tripProbability) return null
      hasDecided = true
      return { calls, faults, usualShare, evidence: test.evidence }
    },
  }
}

/** What the counters of a revision say, see `CallMetrics`; nothing, when there are none. */
export function toTally(
  counted: { readonly calls: number; readonly faults: number; readonly strayFaults: number } | null,
): Tally {
  if (counted === null) return { calls: 0, bad: 0 }
  const { calls, faults, strayFaults } = counted
  return { calls: calls + strayFaults, bad: faults + strayFaults }
}
