import { expect, it } from 'vitest'
import { runSwapSoak } from './swap-soak.ts'

it('loses no request while merges and reverts go live', { timeout: 120_000 }, async () => {
  const { swaps, load } = await runSwapSoak({
    name: 'soak-test',
    swaps: 6,
    ratePerSecond: 100,
    pollIntervalMs: 200,
  })
  expect(swaps.map(({ kind }) => kind)).toEqual([
    'merge',
    'revert',
    'merge',
    'revert',
    'merge',
    'revert',
  ])
  expect(load.failures).toEqual([])
  expect(load.requests).toBeGreaterThan(200)
})
