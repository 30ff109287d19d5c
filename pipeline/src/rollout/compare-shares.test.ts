import { defaultAnalysisLimits } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import { compareShares } from './compare-shares.ts'
import { side } from './testing/fleet-samples.ts'

test.each([
  ['the same shares', side(9000, 90), side(1000, 10), 'within'],
  ['better than stable', side(9000, 900), side(1000, 0), 'within'],
  ['a rise under the limit', side(9000, 9), side(1000, 10), 'within'],
  ['a rise that may be chance', side(900, 0), side(100, 3), 'over'],
  ['a rise beyond chance', side(9000, 9), side(1000, 100), 'worse'],
  ['twice the failures of an outage', side(9000, 2700), side(1000, 600), 'worse'],
  ['slow calls beyond chance', side(9000, 0, 90), side(1000, 0, 200), 'worse'],
  ['slow calls under their limit', side(9000, 0, 90), side(1000, 0, 50), 'within'],
  ['nothing but failures, and nothing to compare with', side(0), side(1000, 1000), 'over'],
  ['no call at all', side(0), side(0), 'within'],
])('%s', (_, stable, canary, status) => {
  expect(compareShares({ stable, canary }, defaultAnalysisLimits).status).toBe(status)
})

test('a canary that is no worse is never called so, however often one looks', () => {
  const random = seeded(7)
  for (const share of [0.001, 0.01, 0.2, 0.5]) {
    for (let rollout = 0; rollout < 200; rollout++) {
      const tally = { stable: side(0), canary: side(0) }
      for (let look = 0; look < 50; look++) {
        tally.stable = more(tally.stable, 180, share, random)
        tally.canary = more(tally.canary, 20, share, random)
        expect(compareShares(tally, defaultAnalysisLimits).status).not.toBe('worse')
      }
    }
  }
})

function more(
  { calls, faults }: ReturnType<typeof side>,
  count: number,
  share: number,
  random: () => number,
): ReturnType<typeof side> {
  let bad = 0
  for (let call = 0; call < count; call++) if (random() < share) bad++
  return side(calls + count, faults + bad)
}

/** Mulberry32. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}
