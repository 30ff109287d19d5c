import { describe, expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import type { RuntimeEvent } from '../src/index.ts'
import type { FunctionState, ReleaseRef } from '../src/manifest/group-document.ts'
import { testFunctionState, testQuarantineEntry } from '../src/manifest/testing/test-documents.ts'
import { toInstanceReport } from '../src/sync/to-instance-report.ts'
import { call as callOnce } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment, type ReleaseOptions } from './support/test-environment.ts'

const hourMs = 3_600_000
const works = 'async () => ({ from: "proven" })'
const fails = 'async () => { throw new Error("bad") }'
const failsAlike = 'async () => { throw new Error("the database is away") }'
const everyFifth = `(() => {
  let calls = 0
  return async () => {
    calls += 1
    if (calls % 5 === 0) throw new Error("usual")
    return {}
  }
})()`

/** A runtime that served `before` and was then promoted to `after`, an hour before its window ends. */
async function promote(before: string, after: string, options: Promotion = {}) {
  const bucket = await createTestEnvironment()
  const settings = { idempotent: true, timeoutMs: 2000, ...options.settings }
  const proven = await bucket.release('shop/card', before, { settings })
  const stable = await bucket.release('shop/card', `${after} /* promoted */`, {
    settings: { ...settings, ...options.promotedSettings },
  })
  await bucket.publish({ card: proven })

  let shiftMs = 0
  const events: RuntimeEvent[] = []
  const runtime = await startRuntime(bucket, {
    maxLoopDelayMs: false,
    watchdog: false,
    probationCalls: 0,
    clock: { ...systemClock, now: () => Date.now() + shiftMs },
    onEvent: (event) => events.push(event),
  })
  const call = async (url = '/shop/card') => {
    const { status, headers } = await callOnce(runtime, url)
    return { status, revision: headers['x-needle-revision'], failed: headers['x-needle-fallback'] }
  }
  for (let made = 0; made < (options.callsBefore ?? 0); made++) await call()

  const rollbackUntil = new Date(Date.now() + hourMs).toISOString()
  const publish = async (
    state: Partial<FunctionState> = {},
    quarantined: readonly ReleaseRef[] = [],
  ): Promise<void> => {
    await bucket.publish(
      { card: testFunctionState(stable, { previous: [proven], rollbackUntil, ...state }) },
      { quarantine: quarantined.map(testQuarantineEntry) },
    )
    await runtime.refresh()
  }
  await publish()
  return {
    runtime,
    proven,
    stable,
    call,
    publish,
    release: (handler: string) => bucket.release('shop/card', handler, { settings }),
    status: () => runtime.status().functions[0],
    told: (type: RuntimeEvent['type']) => events.filter((event) => event.type === type),
    pass: (ms: number) => {
      shiftMs += ms
    },
  }
}

interface Promotion {
  readonly settings?: ReleaseOptions['settings']
  readonly promotedSettings?: ReleaseOptions['settings']
  readonly callsBefore?: number
}

const idOf = ({ release }: ReleaseRef): string => `shop/card@${release.slice(7, 19)}`

describe('a stable that turns bad within its rollback window', () => {
  it('gives way to the release before it, and no caller of an idempotent function notices', async () => {
    const { runtime, call, proven, stable, status, told } = await promote(works, fails)
    const answers = []
    for (let made = 0; made < 20; made++) answers.push(await call())

    expect(answers.map((each) => each.status)).toEqual(answers.map(() => 200))
    expect(answers[0]).toMatchObject({ revision: idOf(proven), failed: idOf(stable) })
    expect(answers.at(-1)).toMatchObject({ revision: idOf(proven), failed: undefined })
    const failed = answers.filter((each) => each.failed !== undefined).length
    expect(failed).toBeLessThan(10)
    expect(told('stableTripped')).toMatchObject([
      {
        revision: idOf(stable),
        trip: { successor: proven.release, calls: failed, faults: failed, usualShare: 0.001 },
      },
    ])

    await runtime.refresh()
    expect(status()).toMatchObject({
      stable: idOf(proven),
      stableTrip: { stable: stable.release, successor: proven.release },
      refusals: [{ side: 'stable', release: stable.release, code: 'STABLE_TRIPPED' }],
    })
    const report = await toInstanceReport(runtime.status(), {
      uptimeMs: 1,
      reportedAt: '2026-01-01T00:00:00Z',
      releases: new Map([[runtime.status().functions[0]?.stable ?? '', proven.release]]),
    })
    expect(report.functions['shop/card']?.stableTrip?.faults).toBe(failed)
  })

  it('serves again when another manifest changes the function, and not before', async () => {
    const { runtime, call, proven, stable, status, publish, pass } = await promote(works, fails)
    for (let made = 0; made < 20; made++) await call()
    pass(2 * hourMs)
    await runtime.refresh()
    expect(status()?.stable).toBe(idOf(proven))
    await publish({ rollbackUntil: undefined })
    expect(status()).toMatchObject({ stable: idOf(stable), stableTrip: null, refusals: [] })
  })

  it('stays when the release before it fails at the same calls', async () => {
    const { runtime, call, stable, status, told } = await promote(failsAlike, failsAlike)
    for (let made = 0; made < 100; made++) expect((await call()).status).toBe(500)
    await runtime.refresh()
    expect(status()).toMatchObject({ stable: idOf(stable), stableTrip: null })
    expect(told('stableTripped')).toEqual([])
  })

  it('is judged alone, by what was usual, when it must not be called twice', async () => {
    const settings = { idempotent: false }
    const bad = await promote(works, fails, { settings })
    let failures = 0
    while (failures < 100 && (await bad.call()).status === 500) failures += 1
    expect(failures).toBeGreaterThan(1)
    expect(failures).toBeLessThan(10)
    expect(bad.status()?.stable).toBe(idOf(bad.proven))

    const usual = await promote(everyFifth, everyFifth, { settings, callsBefore: 400 })
    for (let made = 0; made < 400; made++) await usual.call()
    expect(usual.status()?.stable).toBe(idOf(usual.stable))
  })

  it('gives way when it hangs, although nobody knows how long it usually takes', async () => {
    const hangs = 'async () => new Promise(() => undefined)'
    const { call, proven, status } = await promote(works, hangs, { settings: { timeoutMs: 200 } })
    expect((await call()).status).toBe(504)
    for (let made = 0; made < 10; made++) expect((await call()).status).toBe(200)
    expect(status()?.stable).toBe(idOf(proven))
  })

  it('is answered for until the window ends, and no longer', async () => {
    const { call, stable, status, pass } = await promote(works, fails)
    expect(await call()).toMatchObject({ status: 200, failed: idOf(stable) })
    pass(hourMs)
    for (let made = 0; made < 20; made++) {
      expect(await call()).toMatchObject({ status: 500, failed: undefined })
    }
    expect(status()?.stable).toBe(idOf(stable))
  })

  it('stays when the only release before it is quarantined', async () => {
    const { call, proven, stable, publish, status, told } = await promote(works, fails)
    await publish({}, [proven])
    for (let made = 0; made < 20; made++) {
      expect(await call()).toMatchObject({ status: 500, failed: undefined })
    }
    expect(status()).toMatchObject({ stable: idOf(stable), stableTrip: null })
    expect(told('stableTripped')).toEqual([])
  })

  it('gives way to the newest release before it that is not quarantined', async () => {
    const { call, proven, stable, publish, release, status, told } = await promote(works, fails)
    const older = await release('async () => ({ from: "older" })')
    await publish({ previous: [proven, older] }, [proven])
    // It is loaded in the background; until then nobody can answer.
    await expect
      .poll(() => call())
      .toEqual({ status: 200, revision: idOf(older), failed: idOf(stable) })
    for (let made = 0; made < 20; made++) {
      expect(await call()).toMatchObject({ status: 200, revision: idOf(older) })
    }
    expect(status()?.stable).toBe(idOf(older))
    expect(told('stableTripped')).toMatchObject([{ trip: { successor: older.release } }])
  })

  it.each([
    ['it', true, false],
    ['the release before it', false, true],
  ])('is not answered for when only %s may be called twice', async (_who, ofStable, ofProven) => {
    const { call, proven, status } = await promote(works, fails, {
      settings: { idempotent: ofProven },
      promotedSettings: { idempotent: ofStable },
    })
    let failures = 0
    for (let made = 0; made < 20; made++) {
      const { status: answered, failed } = await call()
      expect(failed).toBeUndefined()
      if (answered === 500) failures += 1
    }
    expect(failures).toBeGreaterThan(1)
    expect(failures).toBeLessThan(20)
    expect(status()?.stable).toBe(idOf(proven))
  })

  it('is not answered for by a release with another route', async () => {
    const { call, stable, status } = await promote(works, fails, {
      promotedSettings: { http: { method: 'GET', path: '/shop/cards' } },
    })
    for (let made = 0; made < 20; made++) {
      expect(await call('/shop/cards')).toMatchObject({ status: 500, failed: undefined })
    }
    expect(status()?.stable).toBe(idOf(stable))
  })
})

describe('a stable that turns bad outside of a rollback window', () => {
  it('raises an alarm, once, and changes nothing', async () => {
    const { runtime, call, pass, stable, status, told } = await promote(works, fails)
    pass(2 * hourMs)
    await runtime.refresh()
    for (let round = 0; round < 3; round++) {
      for (let made = 0; made < 20; made++) {
        expect(await call()).toMatchObject({ status: 500, failed: undefined })
      }
      await runtime.refresh()
    }
    expect(told('stableFailing')).toMatchObject([
      { revision: idOf(stable), failure: { calls: 20, faults: 20 } },
    ])
    expect(status()).toMatchObject({
      stable: idOf(stable),
      stableFailure: { stable: stable.release },
      stableTrip: null,
    })
    expect(runtime.status().alarms).toMatchObject([{ code: 'STABLE_FAILING' }])
  })

  it('raises none for what was usual before it', async () => {
    const { runtime, stable, call, pass, told } = await promote(everyFifth, everyFifth, {
      callsBefore: 400,
    })
    pass(2 * hourMs)
    await runtime.refresh()
    for (let made = 0; made < 400; made++) await call()
    await runtime.refresh()
    // Of the one before it nothing was usual: a look in time may have told of that.
    const revision = idOf(stable)
    expect(told('stableFailing')).not.toContainEqual(expect.objectContaining({ revision }))
  })
})
