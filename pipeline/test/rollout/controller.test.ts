import { RuntimeError } from '@needle-faas/runtime/store'
import { objectKey, type ReportedSide, sizeLimit } from '@needle-faas/runtime/manifest'
import type { ArtifactStore } from '@needle-faas/runtime/store'
import { describe, expect, test } from 'vitest'
import type { RoundOutcome } from '../../src/rollout/controller.ts'
import { planHold } from '../../src/plan/plan-hold.ts'
import { changeEnvironment } from '../../src/publish/change-environment.ts'
import { readHistoryVersions, readServedCode } from '../publisher/environment-under-test.ts'
import { killed, killedAt } from '../publisher/killed-store.ts'
import { createFleetUnderTest, type FleetUnderTest, minute } from './fleet-under-test.ts'

const one = { 'shop/card': 'card 1' }
const two = { 'shop/card': 'card 2' }
const well = { stable: side(900), canary: side(100) }
const badly = { stable: side(90), canary: side(10, 10), trips: true }

/** `card 2` is a canary at 10 % that three instances run. */
async function onItsWay(): Promise<FleetUnderTest> {
  const fleet = await createFleetUnderTest()
  await fleet.publish(one)
  await fleet.publish(two)
  await everyone(fleet, {})
  return fleet
}

async function everyone(
  fleet: FleetUnderTest,
  said: Parameters<FleetUnderTest['report']>[1],
): Promise<void> {
  for (const name of ['one', 'two', 'three']) await fleet.report(name, said)
}

function said({ decisions }: RoundOutcome): string[] {
  return decisions.map(({ kind, verdict }) => `${kind} ${verdict}`)
}

test('a good canary goes step by step to everyone, each step a version with its evidence', async () => {
  const fleet = await onItsWay()
  const controller = fleet.controller()
  expect(said(await controller.round())).toEqual(['wait running'])
  fleet.pass(6 * minute)
  await everyone(fleet, well)
  expect(said(await controller.round())).toEqual(['step successful'])
  expect((await fleet.card()).rollout).toMatchObject({ step: 1, weightPercent: 50 })
  expect((await fleet.state()).newest?.manifest).toMatchObject({
    version: 3,
    actor: 'needle rollout',
    decisions: [{ function: 'shop/card', kind: 'step', evidence: { canary: { calls: 300 } } }],
  })

  await everyone(fleet, well)
  expect(said(await controller.round())).toEqual(['wait running'])
  fleet.pass(6 * minute)
  await everyone(fleet, well)
  // The calls of the first step are none of the second's.
  expect(said(await controller.round())).toEqual(['hold inconclusive'])
  await everyone(fleet, { stable: side(1000), canary: side(200) })
  expect(said(await controller.round())).toEqual(['promote successful'])
  expect(await readServedCode(fleet.store, fleet.trust)).toEqual(two)
  expect((await fleet.card()).rollbackUntil).toBe(new Date(fleet.now() + 10 * minute).toISOString())
  expect(await readHistoryVersions(fleet.store)).toEqual([1, 2, 3, 4])
})

test('a tripped breaker ends the canary everywhere: quarantined, held, and the next merge does not bring it back', async () => {
  const fleet = await onItsWay()
  await fleet.report('two', badly)
  const outcome = await fleet.controller().round()
  expect(said(outcome)).toEqual(['abort failed'])
  const text = /stopped by two: 10 of 10 calls failed/
  expect(await fleet.card()).toMatchObject({
    rollout: null,
    hold: { by: 'needle rollout', reason: expect.stringMatching(text), endsWithMerge: true },
  })
  expect((await fleet.state()).quarantine).toHaveLength(1)
  await fleet.publish(two)
  expect(await readServedCode(fleet.store, fleet.trust)).toEqual(one)
  expect((await fleet.card()).rollout).toBeNull()
})

test('what was taken back stays so for those who watch although it is stopped meanwhile', async () => {
  const fleet = await onItsWay()
  const controller = fleet.controller()
  await fleet.report('two', badly)
  await controller.round()
  await changeEnvironment(fleet.publisher, async (state) => ({
    plan: planHold({
      state,
      function: 'shop/card',
      actor: 'Ann',
      reason: 'floods the ERP',
      now: fleet.now(),
      stop: true,
      until: null,
    }),
    uploads: [],
  }))
  expect((await fleet.card()).hold).toMatchObject({ mode: 'stopped', by: 'Ann' })
  expect((await controller.round()).takenBack).toEqual(['shop/card'])
})

test('a stable that harms right after its promotion goes back by itself', async () => {
  const fleet = await createFleetUnderTest()
  await fleet.publish(one)
  await fleet.publish(two, { policies: new Map() })
  const { stable } = await fleet.card()
  const harm = {
    code: 'FUNCTION_CRASHED',
    message: 'threw in a timer',
    since: new Date(fleet.now()).toISOString(),
    release: stable.release,
  }
  await fleet.report('one', { card: { refusals: [harm] } })
  expect(said(await fleet.controller().round())).toEqual(['rollback failed'])
  expect(await readServedCode(fleet.store, fleet.trust)).toEqual(one)
  expect((await fleet.state()).quarantine).toHaveLength(1)
})

test('nothing on its way costs no manifest', async () => {
  const fleet = await createFleetUnderTest()
  await fleet.publish(one)
  await fleet.report('one')
  const still = { decisions: [], change: null, deferred: 0, takenBack: [] }
  expect(await fleet.controller().round()).toEqual(still)
})

test('an environment without anything published is quiet', async () => {
  const fleet = await createFleetUnderTest()
  expect(await fleet.controller().round()).toMatchObject({ decisions: [], change: null })
})

test('two controllers at once make one step, not two (import-map-deployer#134)', async () => {
  const fleet = await onItsWay()
  fleet.pass(6 * minute)
  await everyone(fleet, well)
  // Both have read and decided before either writes.
  const gate = gateAt(fleet.store, 2, objectKey.history('production', 3))
  const outcomes = await Promise.all([
    fleet.controller(gate).round(),
    fleet.controller(gate).round(),
  ])
  const ends = outcomes.map(({ change }) => ({
    isWritten: change?.isWritten,
    lostRaces: change?.lostRaces,
  }))
  expect(ends).toContainEqual({ isWritten: true, lostRaces: 0 })
  expect(ends).toContainEqual({ isWritten: false, lostRaces: 1 })
  expect((await fleet.card()).rollout).toMatchObject({ step: 1, weightPercent: 50 })
  expect(await readHistoryVersions(fleet.store)).toEqual([1, 2, 3])
})

test('a hold that a person sets meanwhile wins over a step', async () => {
  const fleet = await onItsWay()
  fleet.pass(6 * minute)
  await everyone(fleet, well)
  const gate = beforeKey(fleet.store, objectKey.history('production', 3), async () => {
    await changeEnvironment(fleet.publisher, async (state) => {
      const order = { state, function: 'shop/card', actor: 'Ann', reason: 'wait', now: fleet.now() }
      return { plan: planHold({ ...order, stop: false, until: null }), uploads: [] }
    })
  })
  const outcome = await fleet.controller(gate).round()
  expect(said(outcome)).toEqual(['hold inconclusive'])
  expect(await fleet.card()).toMatchObject({ hold: { by: 'Ann' }, rollout: { step: 0 } })
})

describe.each(['before', 'after'] as const)('a controller killed %s its n-th write', (moment) => {
  test.each([
    ['a step', well, { rollout: { step: 1, weightPercent: 50 } }],
    ['an abort', badly, { rollout: null, hold: { endsWithMerge: true } }],
  ])('leaves %s that the next run completes, for every n', async (_, reports, done) => {
    let wasKilled = true
    let killings = 0
    for (let n = 1; wasKilled; n++) {
      const fleet = await onItsWay()
      fleet.pass(6 * minute)
      await everyone(fleet, reports)
      wasKilled = await fleet
        .controller(killedAt(fleet.store, n, moment))
        .round()
        .then(
          () => false,
          (error: unknown) => {
            if (error !== killed) throw error
            return true
          },
        )
      if (wasKilled) killings++
      // Whatever was written verifies, and stable serves everyone the canary does not.
      expect(await readServedCode(fleet.store, fleet.trust)).toEqual(one)
      await fleet.controller().round()
      expect(await fleet.card()).toMatchObject(done)
      expect(await readHistoryVersions(fleet.store)).toEqual([1, 2, 3])
      const pointer = await fleet.store.get(objectKey.manifest('production'), {
        maxBytes: sizeLimit.manifestBytes,
      })
      const entry = await fleet.store.get(objectKey.history('production', 3), {
        maxBytes: sizeLimit.manifestBytes,
      })
      expect(pointer).toEqual(entry)
    }
    // clock, probe, group, history, manifest; an abort writes the quarantine too
    expect(killings).toBe(reports === well ? 5 : 6)
  })
})

test.each([1, 2, 3, 5, 8, 12])(
  'a store that is away from its %i. request on ends the round with its name, and the next goes on',
  async (n) => {
    const fleet = await onItsWay()
    fleet.pass(6 * minute)
    await everyone(fleet, well)
    const round = fleet.controller(awayFrom(fleet.store, n)).round()
    await expect(round).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    await fleet.controller().round()
    expect((await fleet.card()).rollout).toMatchObject({ step: 1 })
    expect(await readHistoryVersions(fleet.store)).toEqual([1, 2, 3])
  },
)

describe('reports that nobody should believe', () => {
  const digest = `sha256:${'0'.repeat(64)}` as const
  const manifest = { epoch: 1, commit: null, activatedAt: '2026-11-22T10:00:00.000Z', lagMs: 0 }
  test.each([
    ['of another environment', { environment: 'staging' }, 'is of staging'],
    ['under another name', { instance: 'somebody' }, 'says it is somebody'],
    ['of a version nobody wrote', { manifest: { ...manifest, version: 99, digest } }, '99'],
    [
      'of a version that says something else',
      { manifest: { ...manifest, version: 2, digest } },
      '2',
    ],
  ])('%s change nothing, and are told of', async (_, more, why) => {
    const fleet = await onItsWay()
    await fleet.report('forged', { ...badly, more })
    const outcome = await fleet.controller().round()
    expect(said(outcome)).toEqual(['wait running'])
    expect(outcome.decisions[0]?.refused[0]).toMatchObject({
      instance: 'forged',
      why: expect.stringContaining(why),
    })
  })

  test('an old report written again is noticed by who has read a newer one', async () => {
    const fleet = await onItsWay()
    const controller = fleet.controller()
    fleet.pass(minute)
    await everyone(fleet, well)
    await controller.round()
    await fleet.report('one', { ...badly, skewMs: -minute })
    // However often: reading it does not make it the newest.
    for (let round = 0; round < 3; round++) {
      const outcome = await controller.round()
      expect(said(outcome)).toEqual(['wait running'])
      expect(outcome.decisions[0]?.refused[0]?.why).toContain('was written again')
    }
  })

  test('but that of an instance whose clock was set back while it runs counts, and its trip', async () => {
    const fleet = await onItsWay()
    const controller = fleet.controller()
    await fleet.report('one', { ...well, more: { uptimeMs: 60_000 } })
    await controller.round()
    await fleet.report('one', { ...well, more: { uptimeMs: 90_000 }, skewMs: -10 * minute })
    expect((await controller.round()).decisions[0]?.refused).toEqual([])
    // What was read before it was set back is old by its uptime, however new by the clock.
    await fleet.report('one', { ...badly, more: { uptimeMs: 60_000 } })
    const [replayed] = (await controller.round()).decisions
    expect(replayed?.refused[0]?.why).toContain('was written again')
    const worse = { stable: side(1000), canary: side(200, 50), trips: true }
    await fleet.report('one', { ...worse, more: { uptimeMs: 91_000 }, skewMs: -10 * minute })
    expect(said(await controller.round())).toEqual(['abort failed'])
  })

  test('a trip of the rollout before is none of this one', async () => {
    const fleet = await onItsWay()
    const { rollout } = await fleet.card()
    await fleet.publish({ 'shop/card': 'card 3' })
    await everyone(fleet, {})
    await fleet.report('two', { ...badly, card: badlyAt(rollout?.canary.release, rollout?.salt) })
    expect(said(await fleet.controller().round())).toEqual(['wait running'])
  })

  function badlyAt(release = digest as string, salt = ''): object {
    const counts = { stable: badly.stable, canary: badly.canary }
    const at = '2026-11-22T10:00:00.000Z'
    const trip = { cause: 'errors', at, ...counts, slowLimitMs: null, evidence: 1e9 }
    return { rollout: { canary: release, salt, since: at, measured: counts, trip } }
  }
})

test.each([-10, 10])(
  'clocks of instances and controller that are %i minutes off change no decision',
  async (minutes) => {
    const skewMs = minutes * minute
    const fleet = await onItsWay()
    await everyone(fleet, { ...well, skewMs })
    const controller = fleet.controller(fleet.store, { skewMs })
    expect(said(await controller.round())).toEqual(['wait running'])
    fleet.pass(6 * minute)
    await everyone(fleet, { ...well, skewMs })
    expect(said(await controller.round())).toEqual(['step successful'])
    expect((await fleet.card()).rollout?.since).toBe(new Date(fleet.now()).toISOString())
  },
)

describe('what Git does to a function on its way', () => {
  test('the next merge overtakes: the new canary starts over, with nothing of the old counted', async () => {
    const fleet = await onItsWay()
    fleet.pass(6 * minute)
    await everyone(fleet, well)
    await fleet.publish({ 'shop/card': 'card 3' })
    const outcome = await fleet.controller().round()
    expect(said(outcome)).toEqual(['wait running'])
    expect(outcome.decisions[0]?.evidence.canary.calls).toBe(0)
    expect((await fleet.card()).rollout?.weightPercent).toBe(10)
  })

  test('a revert of a revert goes back at once, both ways, and no step runs', async () => {
    const fleet = await createFleetUnderTest()
    await fleet.publish(one)
    await fleet.publish(two, { policies: new Map() })
    await fleet.publish(one)
    expect(await readServedCode(fleet.store, fleet.trust)).toEqual(one)
    await fleet.publish(two)
    expect(await readServedCode(fleet.store, fleet.trust)).toEqual(two)
    expect(await fleet.card()).toMatchObject({ rollout: null })
    expect((await fleet.card()).rollbackUntil).toBeUndefined()
    expect(said(await fleet.controller().round())).toEqual([])
  })

  test.each([
    ['deleted', { 'shop/quote': 'quote' }],
    ['renamed', { 'shop/quote': 'quote', 'shop/gift-card': 'card 2' }],
  ])('a function that is %s takes its rollout along', async (_, code) => {
    const fleet = await onItsWay()
    await everyone(fleet, badly)
    await fleet.publish(code)
    expect(said(await fleet.controller().round())).toEqual([])
    expect(await readServedCode(fleet.store, fleet.trust)).toEqual(code)
  })

  test('a change of settings alone is judged like any other', async () => {
    const fleet = await onItsWay()
    const { stable, rollout } = await fleet.card()
    const settings = rollout?.canary.release ?? stable.settings
    await fleet.publish(one)
    await fleet.publish(one, {
      wanted: new Map([['shop/card', { ...stable, release: settings, settings }]]),
    })
    await everyone(fleet, badly)
    expect(said(await fleet.controller().round())).toEqual(['abort failed'])
    expect((await fleet.state()).quarantine).toMatchObject([
      { artifact: stable.artifact, settings },
    ])
  })
})

function side(calls: number, faults = 0): ReportedSide {
  return { calls, faults, slow: 0 }
}

/** Holds writes of a key back until so many have asked for it. */
function gateAt(store: ArtifactStore, count: number, key: string): ArtifactStore {
  let asked = 0
  const { promise: opened, resolve: open } = Promise.withResolvers<void>()
  return {
    ...store,
    put: async (target, bytes, options) => {
      if (target === key) {
        asked++
        if (asked === count) open()
        await opened
      }
      return store.put(target, bytes, options)
    },
  }
}

/** Does something once before a key is written for the first time. */
function beforeKey(store: ArtifactStore, key: string, act: () => Promise<void>): ArtifactStore {
  let isDone = false
  return {
    ...store,
    put: async (target, bytes, options) => {
      if (target === key && !isDone) {
        isDone = true
        await act()
      }
      return store.put(target, bytes, options)
    },
  }
}

/** A store that answers nothing from its n-th request on. */
function awayFrom(store: ArtifactStore, n: number): ArtifactStore {
  let requests = 0
  const ask = (): void => {
    requests++
    if (requests >= n) throw new RuntimeError('STORE_UNAVAILABLE', 'memory: does not answer')
  }
  return {
    ...store,
    get: async (key, options) => {
      ask()
      return store.get(key, options)
    },
    put: async (key, bytes, options) => {
      ask()
      return store.put(key, bytes, options)
    },
    async *list(prefix, options) {
      ask()
      yield* store.list(prefix, options)
    },
  }
}
