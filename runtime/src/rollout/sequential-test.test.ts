import { describe, expect, test } from 'vitest'
import { createSequentialTest } from './sequential-test.ts'

const decision = 1e5

/** Numbers in [0, 1), the same every time. */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

interface Shares {
  readonly stable: number
  readonly canary: number
}

/** Calls of the canary until there is so much evidence; null when it never is. */
function callsUntilDecision(
  share: Shares,
  { weight = 0.1, calls = 20_000, evidence = decision, random = seeded(1) } = {},
): number | null {
  const sequential = createSequentialTest(0.01)
  let canaryCalls = 0
  for (let call = 0; call < calls; call++) {
    const side = random() < weight ? 'canary' : 'stable'
    if (side === 'canary') canaryCalls += 1
    sequential.add(side, random() < share[side])
    if (sequential.evidence >= evidence) return canaryCalls
  }
  return null
}

/** As `callsUntilDecision`, of many rollouts that are the same every time; the soonest first. */
function manyUntilDecision(
  share: Shares,
  { rollouts, ...options }: { rollouts: number; weight: number; calls?: number; evidence?: number },
): readonly (number | null)[] {
  const random = seeded(1)
  return Array.from({ length: rollouts }, () =>
    callsUntilDecision(share, { ...options, random }),
  ).toSorted((a, b) => (a ?? Infinity) - (b ?? Infinity))
}

describe('the sequential test', () => {
  test.each([0, 0.001, 0.2, 0.9, 1])('does not mind that both sides fail %d', (share) => {
    expect(callsUntilDecision({ stable: share, canary: share })).toBeNull()
  })

  test('does not mind a canary that is better', () => {
    expect(callsUntilDecision({ stable: 0.3, canary: 0 })).toBeNull()
  })

  test('decides sooner the worse the canary is', () => {
    const half = callsUntilDecision({ stable: 0.001, canary: 0.5 }) ?? Infinity
    const some = callsUntilDecision({ stable: 0.001, canary: 0.05 }) ?? Infinity
    expect(half).toBeLessThan(20)
    expect(some).toBeLessThan(500)
    expect(half).toBeLessThan(some)
  })

  test('ignores a rise that is much smaller than the least one worth stopping for', () => {
    expect(callsUntilDecision({ stable: 0.001, canary: 0.003 })).toBeNull()
  })

  test('has no evidence while only one side is called', () => {
    const sequential = createSequentialTest(0.01)
    for (let call = 0; call < 1000; call++) sequential.add('canary', true)
    expect(sequential.evidence).toBe(0)
  })

  test('expects of one block no more than was staked, whatever share both sides have', () => {
    // The theorem, by counting: every outcome of a block, weighed with its probability.
    for (const share of [0.001, 0.05, 0.5, 0.99]) {
      let expected = 0
      const stableCalls = 9
      for (let outcome = 0; outcome < 2 ** (stableCalls + 1); outcome++) {
        const sequential = createSequentialTest(0.01)
        let chance = 1
        for (let call = 0; call <= stableCalls; call++) {
          const isBad = ((outcome >> call) & 1) === 1
          chance *= isBad ? share : 1 - share
          sequential.add(call < stableCalls ? 'stable' : 'canary', isBad)
        }
        expected += chance * sequential.evidence
      }
      // Nine tenths of all that is staked.
      expect(expected).toBeLessThanOrEqual(0.9 + 1e-9)
      expect(expected).toBeGreaterThan(0)
    }
  })
})

// What blocks of ten and a stake of one come to. All is seeded, and the limits lie so close to what is
// found that blocks of 2 or 100 calls, or twice the stakes, are beyond one of them.
describe('over many rollouts, the sequential test', () => {
  test.each([
    { failing: 0.01, weight: 0.1, evidence: 20, atMost: 0.02 },
    { failing: 0.2, weight: 0.5, evidence: 20, atMost: 0.025 },
    { failing: 0.2, weight: 0.5, evidence: 2, atMost: 0.2 },
    { failing: 0.5, weight: 0.5, evidence: 2, atMost: 0.055 },
  ])(
    'comes to an evidence of $evidence in at most $atMost of those where both sides fail $failing',
    ({ failing, weight, evidence, atMost }) => {
      const share = { stable: failing, canary: failing }
      const found = manyUntilDecision(share, { weight, evidence, rollouts: 2000, calls: 1000 })
      const misled = found.filter((calls) => calls !== null).length / found.length
      expect(misled).toBeLessThanOrEqual(atMost)
      // Else it proves nothing: no test that ever decides is never misled.
      expect(misled).toBeGreaterThan(atMost / 4)
    },
  )

  test.each([
    { failing: 0.5, weight: 0.1, median: 12, p95: 22 },
    { failing: 0.5, weight: 0.5, median: 40, p95: 55 },
    { failing: 1, weight: 0.5, median: 20, p95: 30 },
    { failing: 0.05, weight: 0.1, median: 160, p95: 400 },
  ])(
    'decides in the usual number of calls against a canary that fails $failing of $weight of the calls',
    ({ failing, weight, median, p95 }) => {
      const share = { stable: 0.001, canary: failing }
      const found = manyUntilDecision(share, { weight, rollouts: 200 })
      expect(found[99]).toBeLessThanOrEqual(median)
      expect(found[189]).toBeLessThanOrEqual(p95)
    },
  )
})
