import { priorBad, priorCalls, risesFrom, rungs, stakeOf } from './stakes.ts'

/** How many calls, and how many of them were bad. */
export interface Tally {
  calls: number
  bad: number
}

/** The evidence that one side is worse than the other, watched after every call. */
export interface SequentialTest {
  /** Evidence so far: `1 / a` or more is a decision that is wrong with a probability of at most `a`. */
  readonly evidence: number
  add(side: 'stable' | 'canary', isBad: boolean): void
}

/**
 * Tests whether calls of the canary are bad more often than those of stable, and may be looked at
 * after every call: the probability that it ever reaches `1 / a` although the canary is no worse is
 * at most `a` (Ville's inequality).
 *
 * Calls come in blocks of ten or more, with at least one of each side. Each block multiplies the evidence by
 * the likelihood of its outcomes under "the canary's share of bad calls is higher by `rise`", over
 * their likelihood under one share for both, mixed as the block is. That ratio has an expectation of
 * at most 1 for whatever share both have, and the share may be another in every block: an outage
 * that both sides meet is no evidence.
 * (R. Turner, A. Ly, P. Grünwald: Generic E-variables for exact sequential k-sample tests that allow
 * for optional stopping. Statistics and Probability Letters 2024, theorem 1.)
 *
 * Several rises are tried at once, and a test begins at every block, each with a share of the stake
 * such that all of them are 1: their sum keeps that property, and a canary that was good for an hour
 * is caught almost as soon as one that never was. (The same mixture over starting points as in
 * J. Shin, A. Ramdas, A. Rinaldo: E-detectors. New England Journal of Statistics in Data Science 2023.)
 *
 * @param leastRise smallest rise worth looking for, above 0 and below 0.5. No bound: a canary that is
 *   worse by less is found as well where stable is hardly ever bad, only later
 */
export function createSequentialTest(leastRise: number): SequentialTest {
  const rises = risesFrom(leastRise)
  const wealth = rises.map(() => 0)
  const block = { stable: { calls: 0, bad: 0 }, canary: { calls: 0, bad: 0 } }
  const seen: Tally = { calls: 0, bad: 0 }
  let blocks = 0
  let evidence = 0

  const closeBlock = (): void => {
    const stake = stakeOf(blocks)
    blocks += 1
    const stableShare = (seen.bad + priorBad) / (seen.calls + priorCalls)
    evidence = 0
    for (const [index, rise] of rises.entries()) {
      const canaryShare = stableShare + rise * (1 - stableShare)
      const before = wealth[index] ?? 0
      const after =
        (before + stake * (rungs[index] ?? 0)) * likelihoodRatio(block, stableShare, canaryShare)
      wealth[index] = after
      evidence += after
    }
    remember(seen, block.stable)
    block.stable = { calls: 0, bad: 0 }
    block.canary = { calls: 0, bad: 0 }
  }

  return {
    get evidence() {
      return evidence
    },
    add: (side, isBad) => {
      const tally = block[side]
      tally.calls += 1
      if (isBad) tally.bad += 1
      const { stable, canary } = block
      const isWhole = stable.calls + canary.calls >= blockCalls
      if (isWhole && stable.calls > 0 && canary.calls > 0) closeBlock()
    },
  }
}

/** Calls of stable that its share is estimated from; older ones fade. */
const memoryCalls = 2000

function remember(seen: Tally, { calls, bad }: Tally): void {
  seen.calls += calls
  seen.bad += bad
  if (seen.calls <= memoryCalls) return
  seen.bad *= memoryCalls / seen.calls
  seen.calls = memoryCalls
}

/** Larger blocks say more, smaller ones say it sooner. */
const blockCalls = 10

function likelihoodRatio(
  { stable, canary }: Record<'stable' | 'canary', Tally>,
  stableShare: number,
  canaryShare: number,
): number {
  const calls = stable.calls + canary.calls
  const mixed = (stable.calls * stableShare + canary.calls * canaryShare) / calls
  return (
    (canaryShare / mixed) ** canary.bad *
    ((1 - canaryShare) / (1 - mixed)) ** (canary.calls - canary.bad) *
    (stableShare / mixed) ** stable.bad *
    ((1 - stableShare) / (1 - mixed)) ** (stable.calls - stable.bad)
  )
}
