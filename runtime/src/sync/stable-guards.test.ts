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
async function guardAfter(durationsMs: readonly number[], given: Partial<FunctionState> = {}) {
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
  await guards.follow({ functions: new Map([['shop/card', all]]), quarantine: [] })
  return { guards, guard: guards.guarded.get('shop/card'), trips, state: all }
}

const fast = Array.from({ length: 1000 }, () => 4)
const someSlow = fast.map((durationMs, index) => (index % 25 === 0 ? 700 : durationMs))

const capAfter = async (durationsMs: readonly number[], timeoutMs: number) =>
  (await guardAfter(durationsMs)).guard?.capMs(timeoutMs)

/** Whether stable trips that takes longer than its cap at one call in 25. */
async function isTrippedAfter(durationsMs: readonly number[]): Promise<boolean> {
  const { guard, trips } = await guardAfter(durationsMs)
  expect(guard?.capMs(800)).toBe(600)
  for (let call = 0; call < 2000 && trips.length === 0; call++) guard?.record(call % 25 === 0)
  return trips.length > 0
}

describe('the guard of a stable', () => {
  it.each([
    ['without a window', { rollbackUntil: undefined }],
    ['after it', { rollbackUntil: '2026-05-31T23:59:59Z' }],
    ['with nothing to go back to', { previous: [testRef('b')] }],
  ])('does not exist %s', async (_title, given) => {
    expect((await guardAfter(fast, given)).guard).toBeUndefined()
  })

  it('exists no more once all it could go back to is quarantined', async () => {
    const { guards, state: desired } = await guardAfter(fast)
    const functions = new Map([['shop/card', desired]])
    expect(guards.guarded.has('shop/card')).toBe(true)
    await guards.follow({ functions, quarantine: [testQuarantineEntry(testRef('a'))] })
    expect(guards.guarded.has('shop/card')).toBe(false)
  })

  it('leaves its successor the time that one usually takes, twice, when that is known', async () => {
    expect(await capAfter(fast, 800)).toBe(600)
    expect(
      await capAfter(
        fast.map(() => 90),
        800,
      ),
    ).toBe(600)
    expect(
      await capAfter(
        fast.map(() => 240),
        1200,
      ),
    ).toBe(700)
    expect(
      await capAfter(
        fast.map(() => 300),
        800,
      ),
    ).toBeNull()
    expect(await capAfter(fast.slice(0, 10), 800)).toBeNull()
  })

  it('gives its successor half of a call after one that took all its time, until stable answers', async () => {
    const { guard } = await guardAfter([])
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

  it('does not hold against stable that it has less time than who came before', async () => {
    expect(await isTrippedAfter(someSlow)).toBe(false)
    expect(await isTrippedAfter(fast)).toBe(true)
  })

  it('trips once, and is gone until another state is desired', async () => {
    const { guards, guard, trips, state: desired } = await guardAfter(fast)
    for (let call = 0; call < 10; call++) guard?.record(true)
    expect(trips).toEqual([testRef('a').release])
    const follow = async (functions: FunctionState): Promise<boolean> => {
      await guards.follow({ functions: new Map([['shop/card', functions]]), quarantine: [] })
      return guards.guarded.has('shop/card')
    }
    expect(await follow(desired)).toBe(false)
    expect(guards.tripOf('shop/card', desired)).toMatchObject({ stable: testRef('b').release })
    const another = { ...desired, rollbackUntil: '2026-06-01T02:00:00Z' }
    expect(guards.isTripped('shop/card', another)).toBe(false)
    expect(await follow(another)).toBe(true)
  })

  it('stays gone when it trips while the states of a thousand functions are gone through', async () => {
    const { guards, guard, trips, state: desired } = await guardAfter(fast)
    const others = Array.from({ length: 999 }, (_, index) => [`shop/${index}`, desired] as const)
    const functions = new Map<string, FunctionState>([['shop/card', desired], ...others])
    // As calls do that end in between.
    const throughWhichItFails = new Map(functions)
    throughWhichItFails[Symbol.iterator] = function* () {
      for (const each of functions) {
        for (let call = 0; each[0] === 'shop/500' && call < 10; call++) guard?.record(true)
        yield each
      }
      return undefined
    }
    await guards.follow({ functions: throughWhichItFails, quarantine: [] })
    expect(trips).toHaveLength(1)
    expect(guards.guarded.has('shop/card')).toBe(false)
    expect(guards.guarded.size).toBe(999)
  })
})
