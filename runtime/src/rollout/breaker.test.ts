import { describe, expect, test } from 'vitest'
import { type AnalysisLimits, defaultAnalysisLimits } from '../manifest/analysis-limits.ts'
import { type BreakerTrip, createBreaker } from './breaker.ts'

const faultless = { isFault: false, durationMs: 10 }

/** Nine calls of stable and one of the canary, so many times or until it trips. */
function play(
  rounds: number,
  call: (
    side: 'stable' | 'canary',
    round: number,
  ) => { isFault: boolean; durationMs: number | null },
  limits: Partial<AnalysisLimits> = {},
): { readonly trip: BreakerTrip | null; readonly rounds: number } {
  const breaker = createBreaker({ ...defaultAnalysisLimits, ...limits })
  for (let round = 1; round <= rounds; round++) {
    for (let index = 0; index < 10; index++) {
      const side = index < 9 ? 'stable' : 'canary'
      const trip = breaker.add({ side, ...call(side, round) })
      if (trip !== null) return { trip, rounds: round }
    }
  }
  return { trip: null, rounds }
}

const taking = (ofCanary: number, ofStable: (round: number) => number) => {
  return (side: 'stable' | 'canary', round: number) => ({
    isFault: false,
    durationMs: side === 'canary' ? ofCanary : ofStable(round),
  })
}
const steady = taking(45, () => 10)
const uneven = taking(45, (round) => (round % 4 === 0 ? 60 : 10))
const failing = (every: number) => (side: 'stable' | 'canary', round: number) => ({
  ...faultless,
  isFault: side === 'canary' && round % every === 0,
})
const slow = (every: number) => (side: 'stable' | 'canary', round: number) => ({
  isFault: false,
  durationMs: side === 'canary' && round % every === 0 ? 200 : 10,
})

describe('the breaker', () => {
  test('trips on errors of the canary and tells on what evidence', () => {
    const { trip, rounds } = play(100, (side) => ({ ...faultless, isFault: side === 'canary' }))
    expect(trip).toMatchObject({
      cause: 'errors',
      stable: { faults: 0 },
      canary: { calls: rounds, faults: rounds },
    })
    expect(rounds).toBeLessThan(10)
    expect(trip?.evidence).toBeGreaterThanOrEqual(2e4)
  })

  test('trips on a canary that takes longer, not on one that fails at the pace of stable', () => {
    const { trip } = play(200, (side) => ({
      isFault: false,
      durationMs: side === 'canary' ? 50 : 10,
    }))
    expect(trip).toMatchObject({ cause: 'latency', canary: { faults: 0 } })
    expect(trip?.slowLimitMs).toBeCloseTo(30, 0)
  })

  test('does not mind a few milliseconds more', () => {
    const { trip } = play(2000, (side) => ({
      isFault: false,
      durationMs: side === 'canary' ? 20 : 3,
    }))
    expect(trip).toBeNull()
  })

  test('does not mind that both sides fail, or slow down', () => {
    expect(play(500, (_, round) => ({ ...faultless, isFault: round > 200 })).trip).toBeNull()
    const { trip } = play(500, (_, round) => ({
      isFault: false,
      durationMs: round > 200 ? 300 : 10,
    }))
    expect(trip).toBeNull()
  })

  test.each<[string, Parameters<typeof play>[1], Partial<AnalysisLimits>, Partial<AnalysisLimits>]>(
    [
      ['errorRise', failing(25), { errorRise: 0.01 }, { errorRise: 0.4 }],
      ['slowRise', slow(25), { slowRise: 0.01 }, { slowRise: 0.4 }],
      ['latencyFactor', steady, { latencyFactor: 1.5 }, { latencyFactor: 5 }],
      ['latencyToleranceMs', steady, { latencyToleranceMs: 20 }, { latencyToleranceMs: 100 }],
      ['latencyQuantile', uneven, { latencyQuantile: 0.5 }, { latencyQuantile: 0.95 }],
    ],
  )('goes by the %s of its policy', (_, call, strict, lenient) => {
    expect(play(1000, call, strict).trip).not.toBeNull()
    expect(play(1000, call, lenient).trip).toBeNull()
  })

  test('leaves durations alone that say nothing', () => {
    const { trip } = play(500, (side) => ({
      isFault: false,
      durationMs: side === 'canary' ? null : 10,
    }))
    expect(trip).toBeNull()
  })

  test('catches a canary that turns bad late', () => {
    const late = play(1100, (side, round) => ({
      ...faultless,
      isFault: side === 'canary' && round > 1000,
    }))
    expect(late.trip?.cause).toBe('errors')
    expect(late.rounds).toBeLessThan(1020)
  })

  test('trips on probes that fail on the canary alone, and counts them apart', () => {
    const breaker = createBreaker(defaultAnalysisLimits)
    let pairs = 0
    let trip: BreakerTrip | null = null
    while (trip === null && pairs < 100) {
      pairs += 1
      breaker.add({ side: 'stable', isFault: false, durationMs: null, isProbe: true })
      trip = breaker.add({ side: 'canary', isFault: true, durationMs: null, isProbe: true })
    }
    expect(pairs).toBeLessThan(20)
    expect(trip).toMatchObject({
      cause: 'errors',
      stable: { calls: 0, faults: 0, probes: { calls: pairs, faults: 0 } },
      canary: { calls: 0, faults: 0, probes: { calls: pairs, faults: pairs } },
    })
  })

  test('does not take probes that fail on both sides for a bad canary beside calls of users', () => {
    const breaker = createBreaker(defaultAnalysisLimits)
    for (let round = 0; round < 2000; round++) {
      for (const side of ['stable', 'canary'] as const) {
        expect(breaker.add({ side, isFault: true, durationMs: null, isProbe: true })).toBeNull()
      }
      for (let call = 0; call < 8; call++) {
        expect(breaker.add({ ...faultless, side: 'stable' })).toBeNull()
      }
    }
  })

  test('trips once', () => {
    const breaker = createBreaker(defaultAnalysisLimits)
    let trips = 0
    for (let call = 0; call < 1000; call++) {
      const side = call % 2 === 0 ? 'stable' : 'canary'
      if (breaker.add({ ...faultless, side, isFault: side === 'canary' }) !== null) trips += 1
    }
    expect(trips).toBe(1)
  })
})
