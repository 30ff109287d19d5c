import { type FunctionState, objectKey } from '@needle-faas/runtime/manifest'
import type { ArtifactStore } from '@needle-faas/runtime/store'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { testReportedFunction } from '../../../runtime/src/manifest/testing/test-reports.ts'
import { readEnvironment } from '../../src/environment-state/read-environment.ts'
import { toFunctionStates } from '../../src/plan/function-states.ts'
import { planRefresh } from '../../src/plan/plan-refresh.ts'
import { planRollback } from '../../src/plan/plan-rollback.ts'
import { changeEnvironment } from '../../src/publish/change-environment.ts'
import { readHistoryVersions } from '../publisher/environment-under-test.ts'
import { ask, createOperatedEnvironment, type OperatedEnvironment } from './operated-environment.ts'

const slowSteps = [
  { weightPercent: 5, bakeMs: 3_600_000 },
  { weightPercent: 50, bakeMs: 3_600_000 },
  { weightPercent: 100, bakeMs: 0 },
]

let on: OperatedEnvironment
beforeEach(async () => {
  on = await createOperatedEnvironment()
  await on.publish({ 'shop/card': 'card 1' })
})
afterEach(() => on[Symbol.asyncDispose]())

async function stateOfCard(): Promise<FunctionState> {
  const { state } = await readEnvironment(on.publisher.access)
  const card = toFunctionStates(state.groups).get('shop/card')
  if (card === undefined) throw new Error('shop/card is gone')
  return card
}

/** Keys below these prefixes that do not depend on what is desired now: what building and publishing make. */
async function built(): Promise<readonly string[]> {
  const keys: string[] = []
  for (const prefix of ['artifacts/', 'releases/', 'builds/']) {
    for await (const { key } of on.store.list(prefix)) keys.push(key)
  }
  return keys.toSorted()
}

/** Everything that could cry out at once: an instance that refuses, is frozen, and whose canary tripped. */
async function ringEveryAlarm(): Promise<void> {
  const at = new Date().toISOString()
  const refusal = { code: 'FUNCTION_THROWS_AT_LOAD', message: 'boom', since: at }
  const side = { calls: 50, faults: 50, slow: 0 }
  const { stable, rollout } = await stateOfCard()
  await on.report('bff-alarmed', {
    frozen: true,
    refusal,
    functions: {
      'shop/card': testReportedFunction({
        stable: stable.release,
        canary: rollout?.canary.release ?? null,
        weightPercent: 5,
        manifestVersion: 1,
        refusals: [refusal],
        rollout: {
          canary: rollout?.canary.release ?? stable.release,
          salt: rollout?.salt ?? 'random-salt',
          since: at,
          measured: { stable: side, canary: side },
          trip: {
            cause: 'errors',
            at,
            stable: side,
            canary: side,
            slowLimitMs: null,
            evidence: 1e6,
          },
        },
      }),
    },
  })
}

const rollback = () =>
  on.needle(['rollback', 'shop/card', '--reason', 'bad', '--wait', '0', ...on.operator])

describe('backward is one manifest: no step, no analysis, no build, no alarm in the way', () => {
  test('an emergency rollback in the middle of a rollout (argo-rollouts#2939, argo-rollouts#3669)', async () => {
    await on.publish({ 'shop/card': 'card 2' })
    await on.publish({ 'shop/card': 'card 3' }, { canarySteps: slowSteps })
    expect((await stateOfCard()).rollout?.weightPercent).toBe(5)
    await ringEveryAlarm()
    const before = { objects: await built(), history: await readHistoryVersions(on.store) }

    expect((await rollback()).exitCode).toBe(4) // the alarmed instance does not follow

    const { rollout, hold } = await stateOfCard()
    expect({ rollout, mode: hold?.mode }).toEqual({ rollout: null, mode: 'revision' })
    expect(await readHistoryVersions(on.store)).toEqual([...before.history, 4])
    expect(await built()).toEqual(before.objects)
    const newcomer = await on.startInstance('bff-new')
    expect(newcomer.status().manifest?.version).toBe(4)
    expect(await ask(newcomer, 'shop/card')).toBe('card 1')
  })

  test('no report, policy or build is looked at: a rollback reads what is desired, and writes that', async () => {
    await on.publish({ 'shop/card': 'card 2' })
    await on.publish({ 'shop/card': 'card 3' }, { canarySteps: slowSteps })
    await ringEveryAlarm()
    const asked: string[] = []
    const written: string[] = []
    const store: ArtifactStore = {
      ...on.store,
      get: (key, options) => {
        asked.push(key)
        return on.store.get(key, options)
      },
      list: (prefix, options) => {
        asked.push(prefix)
        return on.store.list(prefix, options)
      },
      put: (key, bytes, options) => {
        written.push(key)
        return on.store.put(key, bytes, options)
      },
    }
    const publisher = { ...on.publisher, access: { ...on.publisher.access, store } }
    await changeEnvironment(publisher, async (state) => ({
      plan: planRollback({
        state,
        function: 'shop/card',
        to: 'previous',
        actor: 'Bo',
        reason: 'bad',
        now: Date.now(),
      }),
      uploads: [],
    }))
    const desired = /^environments\/production\/(?:manifest|history|groups|quarantine|probe)\b/
    expect(asked.filter((key) => !desired.test(key))).toEqual([])
    expect(written.map((key) => desired.exec(key)?.[0].split('/').at(-1))).toEqual([
      'probe',
      'groups',
      'quarantine',
      'history',
      'manifest',
    ])
  })

  test('a running instance has it in memory: it fetches neither release nor artifact', async () => {
    const fetched: string[] = []
    const watched: ArtifactStore = {
      ...on.store,
      get: (key, options) => {
        fetched.push(key)
        return on.store.get(key, options)
      },
    }
    const instance = await on.startInstance('bff-1', { store: watched, pollIntervalMs: 3_600_000 })
    await on.publish({ 'shop/card': 'card 2' })
    await instance.refresh()
    expect(await ask(instance, 'shop/card')).toBe('card 2')
    fetched.length = 0

    await rollback()
    await instance.refresh()
    expect(await ask(instance, 'shop/card')).toBe('card 1')
    expect(fetched).toContain(objectKey.manifest('production'))
    expect(fetched.filter((key) => /^(?:artifacts|releases)\//.test(key))).toEqual([])
  })

  test('a finished release that is reverted in Git repeats no canary (flagger#1800, argo-rollouts#2168)', async () => {
    await on.publish({ 'shop/card': 'card 2' })
    const reverted = await on.publish({ 'shop/card': 'card 1' }, { canarySteps: slowSteps })
    expect(reverted.plan.changes).toMatchObject([{ kind: 'returned', function: 'shop/card' }])
    expect((await stateOfCard()).rollout).toBeNull()
  })

  test('alarms that already fire block neither the rollback nor the fix (serverless-application-model#716)', async () => {
    await on.publish({ 'shop/card': 'card 2' })
    await ringEveryAlarm()
    await rollback()
    const instance = await on.startInstance('bff-1', { pollIntervalMs: 3_600_000 })
    expect(await ask(instance, 'shop/card')).toBe('card 1')

    const fixed = await on.publish({ 'shop/card': 'card fixed' })
    expect(fixed).toMatchObject({ isWritten: true, plan: { refusals: [], kept: [] } })
    await instance.refresh()
    expect(await ask(instance, 'shop/card')).toBe('card fixed')
  })

  test('nor does an expired manifest: the rollback is a newer one', async () => {
    await on.publish({ 'shop/card': 'card 2' })
    const past = Date.now() - 90 * 24 * 3_600_000
    await changeEnvironment({ ...on.publisher, clock: { now: () => past } }, async (state) => ({
      plan: planRefresh({ state, actor: 'Ann', reason: 'long ago' }),
      uploads: [],
    }))
    const instance = await on.startInstance('bff-1', { pollIntervalMs: 3_600_000 })
    expect(instance.status().frozen).toBe(true)
    await rollback()
    await instance.refresh()
    expect(instance.status().frozen).toBe(false)
    expect(await ask(instance, 'shop/card')).toBe('card 1')
  })
})
