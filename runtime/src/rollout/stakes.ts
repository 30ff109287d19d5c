// What the tests of this folder bet, on what, and when. Each begins with a stake of 1 in all.

/** What a share of bad calls is taken for before any call was seen: 0.1 %. */
export const priorCalls = 100
export const priorBad = 0.1

/** Share of the stake on each rise, from the least: most on the greatest, which must be noticed first. */
export const rungs = [0.1, 0.1, 0.15, 0.25, 0.4] as const

/** From the least rise to 0.5 in equal ratios, one per rung. */
export function risesFrom(leastRise: number): readonly number[] {
  const most = 0.5
  const count = rungs.length
  return Array.from(
    { length: count },
    (_, index) => leastRise * (most / leastRise) ** (index / (count - 1)),
  )
}

/** Part of the stake for the test that begins with this block, counted from 0: most for the first; all others sum up to the rest. */
export function stakeOf(block: number): number {
  if (block === 0) return firstStake
  return (1 - firstStake) * (1 / Math.log2(block + 1) - 1 / Math.log2(block + 2))
}

const firstStake = 0.9
