import type { Tally } from './sequential-test.ts'
import { risesFrom, rungs, stakeOf } from './stakes.ts'

/** The evidence that calls are bad more often than they may be, watched after every call. */
export interface ShareTest {
  /** Evidence so far: `1 / a` or more is a decision that is wrong with a probability of at most `a`. */
  readonly evidence: number
  /** Further calls: one, or all since the last time. */
  add(calls: Tally): void
}

/**
 * Tests whether more than `highestShare` of the calls are bad, and may be looked at after every call:
 * the probability that it ever reaches `1 / a`, although each call is bad with at most that
 * probability whatever went before it, is at most `a` (Ville's inequality).
 *
 * A bet against that share: each call multiplies what was staked by its likelihood under a higher
 * one, over its likelihood under `highestShare`. What is expected of that ratio is 1 at that share
 * and less below it, so that nothing is won by betting against what is true.
 * (I. Waudby-Smith, A. Ramdas: Estimating means of bounded random variables by betting. Journal of
 * the Royal Statistical Society B 2024, section 4.)
 *
 * Several rises are tried at once and a bet begins with every `add`, their stakes 1 in all, as in
 * `createSequentialTest`.
 *
 * @param highestShare above 0 and below 1
 * @param leastRise smallest rise above it worth noticing, above 0 and below 0.5
 */
export function createShareTest({
  highestShare,
  leastRise,
}: {
  readonly highestShare: number
  readonly leastRise: number
}): ShareTest {
  const odds = risesFrom(leastRise).map((rise) => {
    const share = highestShare + rise * (1 - highestShare)
    return { bad: Math.log(share / highestShare), good: Math.log1p(-rise) }
  })
  const wealth = odds.map(() => 0)
  let bets = 0
  let evidence = 0

  return {
    get evidence() {
      return evidence
    },
    add: ({ calls, bad }) => {
      const stake = stakeOf(bets)
      bets += 1
      evidence = 0
      for (const [index, odd] of odds.entries()) {
        const before = (wealth[index] ?? 0) + stake * (rungs[index] ?? 0)
        const won = Math.exp(bad * odd.bad + (calls - bad) * odd.good)
        // Less than was won is still a fair bet, and a number.
        const after = Math.min(before * Math.min(won, Number.MAX_VALUE), Number.MAX_VALUE)
        wealth[index] = after
        evidence = Math.min(evidence + after, Number.MAX_VALUE)
      }
    },
  }
}
