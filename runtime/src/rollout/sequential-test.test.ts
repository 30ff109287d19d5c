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

function callsUntilDecision(
  share: { readonly stable: number; readonly canary: number },
  { weight = 0.1, calls = 20_000, seed = 1 } = {},
): number | null {
  const random = seeded(seed)
  const sequential = createSequentialTest(0.01)
  let canaryCalls = 0
  for (let call = 0; call < calls; call++) {
    const side = random() < weight ? 'canary' : 'stable'
    if (side === 'canary') canaryCalls += 1
    sequential.add(side, random() < share[side])
    if (sequential.evidence >= decision) return canaryCalls
  }
  return null
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
