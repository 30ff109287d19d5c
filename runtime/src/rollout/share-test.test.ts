import { describe, expect, test } from 'vitest'
import { createShareTest } from './share-test.ts'

const highestShare = 0.012
const create = () => createShareTest({ highestShare, leastRise: 0.01 })
const call = (isBad: boolean) => ({ calls: 1, bad: isBad ? 1 : 0 })

/** Calls until the evidence suffices, every `every`-th of them bad; null when it never does. */
function callsUntilDecision(every: number, calls = 20_000): number | null {
  const share = create()
  for (let made = 1; made <= calls; made++) {
    share.add(call(made % every === 0))
    if (share.evidence >= 1e4) return made
  }
  return null
}

describe('the test of a share', () => {
  test('expects no more than was staked at the highest share or below, wherever it stops', () => {
    // By counting: every outcome of some calls, weighed with its probability; whoever watches stops
    // at the first evidence beyond a limit.
    const calls = 12
    for (const share of [0.0001, 0.005, highestShare]) {
      for (const limit of [1.5, 20, Infinity]) {
        let expected = 0
        for (let outcome = 0; outcome < 2 ** calls; outcome++) {
          const test = create()
          let chance = 1
          for (let made = 0; made < calls; made++) {
            const isBad = ((outcome >> made) & 1) === 1
            chance *= isBad ? share : 1 - share
            if (test.evidence < limit) test.add(call(isBad))
          }
          expected += chance * test.evidence
        }
        expect(expected).toBeLessThanOrEqual(1 + 1e-9)
        expect(expected).toBeGreaterThan(0)
      }
    }
  })

  test('expects more above the highest share, or it could never decide', () => {
    const test = create()
    test.add(call(false))
    const good = test.evidence
    const other = create()
    other.add(call(true))
    expect(0.1 * other.evidence + 0.9 * good).toBeGreaterThan(1)
  })

  test('decides sooner the more calls are bad', () => {
    expect(callsUntilDecision(1)).toBeLessThanOrEqual(4)
    expect(callsUntilDecision(2)).toBeLessThan(16)
    expect(callsUntilDecision(10)).toBeLessThan(200)
    expect(callsUntilDecision(200)).toBeNull()
  })

  test('notices what turns bad late', () => {
    const share = create()
    for (let made = 0; made < 10_000; made++) share.add(call(false))
    let late = 0
    while (share.evidence < 1e4 && late < 100) {
      share.add(call(true))
      late += 1
    }
    expect(late).toBeLessThan(10)
  })

  test('takes many calls at once, however many', () => {
    const share = create()
    share.add({ calls: 1_000_000, bad: 0 })
    expect(share.evidence).toBe(0)
    share.add({ calls: 1_000_000, bad: 500_000 })
    expect(share.evidence).toBeGreaterThan(1e4)
    // JSON knows no infinity.
    expect(Number.isFinite(share.evidence)).toBe(true)
    share.add({ calls: 1_000_000, bad: 0 })
    expect(share.evidence).not.toBeNaN()
  })
})
