import { describe, expect, it } from 'vitest'
import type { FunctionState } from '../manifest/group-document.ts'
import {
  testFunctionState,
  testQuarantineEntry,
  testRef,
} from '../manifest/testing/test-documents.ts'
import { CallMetrics } from '../metrics/call-metrics.ts'
import { createStableGuards } from './stable-guards.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const state = testFunctionState(testRef('b'), {
  previous: [testRef('b'), testRef('a')],
  rollbackUntil: '2026-06-01T01:00:00Z',
})

/** The guard of a function whose calls took so long before. */
function guardAfter(durationsMs: readonly number[], given: Partial<FunctionState> = {}) {
  const before = new CallMetrics()
  for (const durationMs of durationsMs) {
    before.record({ errorCode: null, functionFault: false }, durationMs)
  }
  const trips: string[] = []
  const guards = createStableGuards({
    now: () => now,
    revisionOf: () => null,
    metricsOf: () => before,
    onTrip: (_name, { told }) => void trips.push(told.successor),
  })
  const all = { ...state, ...given }
  guards.follow({ functions: new Map([['shop/card', all]]), quarantine: [] })
  return { guards, guard: guards.guarded.get('shop/card'), trips, state: all }
}

const fast = Array.from({ length: 1000 }, () => 4)
const someSlow = fast.map((durationMs, index) => (index % 25 === 0 ? 700 : durationMs))

/** Whether stable trips that takes longer than its cap at one call in 25. */
function isTrippedAfter(durationsMs: readonly number[]): boolean {
  const { guard, trips } = guardAfter(durationsMs)
  expect(guard?.capMs(800)).toBe(600)
  for (let call = 0; call < 2000 && trips.length === 0; call++) guard?.record(call % 25 === 0)
  return trips.length > 0
}

describe('the guard of a stable', () => {
  it.each([
    ['without a window', { rollbackUntil: undefined }],
    ['after it', { rollbackUntil: '2026-05-31T23:59:59Z' }],
    ['with nothing to go back to', { previous: [testRef('b')] }],
  ])('does not exist %s', (_title, given) => {
    expect(guardAfter(fast, given).guard).toBeUndefined()
  })

  it('exists no more once all it could go back to is quarantined', () => {
    const { guards, state: desired } = guardAfter(fast)
    const functions = new Map([['shop/card', desired]])
    expect(guards.guarded.has('shop/card')).toBe(true)
    guards.follow({ functions, quarantine: [testQuarantineEntry(testRef('a'))] })
    expect(guards.guarded.has('shop/card')).toBe(false)
  })

  it('leaves its successor the time that one usually takes, twice, when that is known', () => {
    expect(guardAfter(fast).guard?.capMs(800)).toBe(600)
    expect(guardAfter(fast.map(() => 90)).guard?.capMs(800)).toBe(600)
    expect(guardAfter(fast.map(() => 240)).guard?.capMs(1200)).toBe(700)
    expect(guardAfter(fast.map(() => 300)).guard?.capMs(800)).toBeNull()
    expect(guardAfter(fast.slice(0, 10)).guard?.capMs(800)).toBeNull()
  })

  it('gives its successor half of a call after one that took all its time, until stable answers', () => {
    const { guard } = guardAfter([])
    guard?.tookAllTime()
    expect(guard?.capMs(800)).toBe(400)
    guard?.record(true)
    expect(guard?.capMs(800)).toBe(400)
    guard?.record(false)
    expect(guard?.capMs(800)).toBeNull()
    guard?.tookAllTime()
    guard?.bothFailed()
    expect(guard?.capMs(800)).toBeNull()
  })

  it('does not hold against stable that it has less time than who came before', () => {
    expect(isTrippedAfter(someSlow)).toBe(false)
    expect(isTrippedAfter(fast)).toBe(true)
  })

  it('trips once, and is gone until another state is desired', () => {
    const { guards, guard, trips, state: desired } = guardAfter(fast)
    for (let call = 0; call < 10; call++) guard?.record(true)
    expect(trips).toEqual([testRef('a').release])
    const follow = (functions: FunctionState): boolean => {
      guards.follow({ functions: new Map([['shop/card', functions]]), quarantine: [] })
      return guards.guarded.has('shop/card')
    }
    expect(follow(desired)).toBe(false)
    expect(guards.tripOf('shop/card', desired)).toMatchObject({ stable: testRef('b').release })
    const another = { ...desired, rollbackUntil: '2026-06-01T02:00:00Z' }
    expect(guards.isTripped('shop/card', another)).toBe(false)
    expect(follow(another)).toBe(true)
  })
})
