import { objectKey, type ReportedFunction } from '@needle-faas/runtime/manifest'
import { createMemoryStore, type ListedObject } from '@needle-faas/runtime/store'
import { describe, expect, test } from 'vitest'
import { readEnvironment } from '../../src/environment-state/read-environment.ts'
import { toFunctionStates } from '../../src/plan/function-states.ts'
import { prune } from '../../src/publish/prune.ts'
import {
  testReport,
  testReportedFunction,
} from '../../../runtime/src/manifest/testing/test-reports.ts'
import { createTestTrust } from '../../../runtime/src/manifest/testing/test-trust.ts'
import { createOperatedEnvironment } from '../operators/operated-environment.ts'
import { createTestPublisher, publishCode, readServedCode } from './environment-under-test.ts'

const trust = await createTestTrust()

const minute = 60_000
const dayMs = 24 * 60 * minute
const everythingOld = { now: Date.now() + dayMs, keepMs: 0, silentMs: 0 }
const ofTheLastMinute = { now: Date.now() + minute / 2, keepMs: minute, silentMs: minute }

async function publishedFive() {
  const store = createMemoryStore()
  const publisher = createTestPublisher(trust, store)
  for (const n of [1, 2, 3, 4, 5]) await publishCode(publisher, trust, { 'shop/card': `card ${n}` })
  return store
}

test('what no manifest names any more goes; what serves or is kept warm stays', async () => {
  const store = await publishedFive()
  const result = await prune({ store, root: trust.root, ...everythingOld, apply: true })
  const folders = result.objects.map(({ key }) => key.replace(/[0-9a-f]{64}.*/, ''))
  expect(folders.toSorted()).toEqual([
    ...Array.from({ length: 2 }, () => 'artifacts/'),
    ...Array.from({ length: 4 }, () => 'environments/production/groups/'),
    ...Array.from({ length: 2 }, () => 'releases/'),
  ])
  expect(await readServedCode(store, trust)).toEqual({ 'shop/card': 'card 5' })
  const publisher = createTestPublisher(trust, store)
  const reverted = await publishCode(publisher, trust, { 'shop/card': 'card 4' })
  expect(reverted.plan.changes.map((change) => change.kind)).toEqual(['returned'])
  expect(await readServedCode(store, trust)).toEqual({ 'shop/card': 'card 4' })
})

test('without apply nothing is deleted', async () => {
  const store = await publishedFive()
  const told = await prune({ store, root: trust.root, ...everythingOld, apply: false })
  const again = await prune({ store, root: trust.root, ...everythingOld, apply: false })
  expect(again.objects).toEqual(told.objects)
  expect(told.objects).toHaveLength(8)
})

test('what was named within the period stays', async () => {
  const store = await publishedFive()
  const result = await prune({ store, root: trust.root, ...ofTheLastMinute, apply: true })
  expect(result.objects).toEqual([])
})

test('what a manifest of the period names stays however long ago it was written', async () => {
  const store = await publishedFive()
  const aged = { ...store, list: (prefix: string) => writtenLongAgo(store.list(prefix)) }
  const result = await prune({ store: aged, root: trust.root, ...ofTheLastMinute, apply: true })
  expect(result.objects).toEqual([])
})

test('what another environment of the store serves stays', async () => {
  const store = await publishedFive()
  const staging = createTestPublisher(trust, store)
  const access = { ...staging.access, environment: 'staging' }
  await publishCode({ ...staging, access }, trust, { 'shop/card': 'card 1' })
  const result = await prune({ store, root: trust.root, ...everythingOld, apply: true })
  expect(result.objects.filter(({ key }) => key.startsWith('artifacts/'))).toHaveLength(1)
})

test('running it again after everything old is gone still works', async () => {
  const store = await publishedFive()
  await prune({ store, root: trust.root, ...everythingOld, apply: true })
  const again = await prune({
    store,
    root: trust.root,
    ...everythingOld,
    keepMs: Date.now(),
    apply: true,
  })
  expect(again.objects).toEqual([])
})

test('an environment that cannot be verified stops it before anything is deleted', async () => {
  const store = await publishedFive()
  const stranger = createTestPublisher(await createTestTrust(), store)
  const access = { ...stranger.access, environment: 'staging' }
  await publishCode({ ...stranger, access }, trust, {})
  const run = prune({ store, root: trust.root, ...everythingOld, apply: true })
  await expect(run).rejects.toMatchObject({ code: 'SIGNER_UNKNOWN' })
  const told = await prune({
    store: { ...store, list: (prefix) => without(store.list(prefix), 'environments/staging/') },
    root: trust.root,
    ...everythingOld,
    apply: false,
  })
  expect(told.objects.length).toBeGreaterThan(0)
})

/** A store in which `card 6` is on its way, and what an instance says that was heard of so long ago. */
async function reported(ageMs: number, card: Partial<ReportedFunction> | null = null) {
  const store = await publishedFive()
  const publisher = createTestPublisher(trust, store)
  const canarySteps = [{ weightPercent: 10, bakeMs: 0 }]
  await publishCode(publisher, trust, { 'shop/card': 'card 6' }, { canarySteps })
  const { state } = await readEnvironment(publisher.access)
  const { stable, rollout } = toFunctionStates(state.groups).get('shop/card') ?? {}
  if (stable === undefined || !rollout) throw new Error('no canary')
  const functions = card && {
    'shop/card': testReportedFunction({ stable: stable.release, ...card }),
  }
  const report = testReport('bff-1', functions ? { functions } : {})
  const key = objectKey.instance('production', 'bff-1')
  await store.put(key, new TextEncoder().encode(JSON.stringify(report)))
  const dated = { ...store, list: (prefix: string) => writtenAgo(store.list(prefix), key, ageMs) }
  const isThere = async () => (await store.get(key, { maxBytes: 1e6 })).status === 'found'
  return { dated, isThere, canary: rollout.canary.release }
}

describe('reports of instances', async () => {
  const { canary } = await reported(0)
  const week = { now: Date.now(), keepMs: 30 * dayMs, silentMs: 7 * dayMs, apply: true }

  test.each([
    ['silent for longer than the days named goes', 7 * dayMs + minute, 1],
    ['heard of since stays', 7 * dayMs - minute, 0],
  ])('of one %s', async (_, ageMs, gone) => {
    const { dated, isThere } = await reported(ageMs)
    const told = await prune({ ...week, store: dated, root: trust.root, apply: false })
    expect(told).toMatchObject({ reports: { length: gone }, keptReports: 1 - gone, objects: [] })
    expect(await isThere()).toBe(true)
    await prune({ ...week, store: dated, root: trust.root })
    expect(await isThere()).toBe(gone === 0)
  })

  const counts = { calls: 1, faults: 0, slow: 0 }
  const measured = { stable: counts, canary: counts }
  const since = '2026-11-22T09:00:00.000Z'
  test.each<[string, Partial<ReportedFunction>]>([
    ['ran its canary', { canary }],
    ['measured it', { rollout: { canary, salt: 'random-salt', since, measured, trip: null } }],
    [
      'refused it',
      { refusals: [{ code: 'FUNCTION_RUNAWAY', message: '', since, release: canary }] },
    ],
  ])('stay while a rollout goes on that an instance %s', async (_, card) => {
    const { dated, isThere } = await reported(100 * dayMs, card)
    const result = await prune({ ...week, store: dated, root: trust.root })
    expect(result).toMatchObject({ reports: [], keptReports: 1 })
    expect(await isThere()).toBe(true)
    // The rollout is over.
    const publisher = createTestPublisher(trust, dated)
    await publishCode(publisher, trust, { 'shop/card': 'card 5' })
    await prune({ ...week, store: dated, root: trust.root })
    expect(await isThere()).toBe(false)
  })

  test('are as old as the store says, however wrong the clock here is', async () => {
    const { dated, isThere } = await reported(6 * dayMs)
    const store = { ...dated, clockOffsetMs: () => -60 * dayMs }
    const result = await prune({ ...week, now: week.now + 60 * dayMs, store, root: trust.root })
    expect(result).toMatchObject({ reports: [], objects: [] })
    expect(await isThere()).toBe(true)
  })
})

test('needle prune tells how many reports would go, and deletes them when it is told to', async () => {
  await using on = await createOperatedEnvironment()
  await on.publish({ 'shop/card': 'card 1' })
  await on.report('bff-old', {}, 8 * dayMs)
  await on.report('bff-new', {}, minute)
  const prune = (...more: readonly string[]) => on.needle(['prune', ...more, ...on.location])
  expect((await prune()).stdout).toContain(
    '0 objects and 1 report of instances silent for 7 d (0.0 MiB) would be deleted, ',
  )
  const kept = await prune('--silent-days', '9', '--apply')
  expect(kept.stdout).toMatch(/Nothing to delete; .* 2 reports of instances younger than 9 d/)
  const told = { applied: true, reports: 1, keptReports: 1 }
  const keys = [objectKey.instance('production', 'bff-old')]
  expect((await prune('--apply', '--json')).json()).toMatchObject({ ...told, keys })
  expect((await prune('--json')).json()).toMatchObject({ reports: 0, keptReports: 1, keys: [] })
  const refused = await prune('--silent-days', '0')
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--silent-days') })
})

async function* writtenAgo(
  items: AsyncIterable<ListedObject>,
  key: string,
  ageMs: number,
): AsyncIterable<ListedObject> {
  for await (const item of items) {
    yield item.key === key ? { ...item, modifiedAt: Date.now() - ageMs } : item
  }
}

async function* without<Item extends { readonly key: string }>(
  items: AsyncIterable<Item>,
  prefix: string,
): AsyncIterable<Item> {
  for await (const item of items) if (!item.key.startsWith(prefix)) yield item
}

async function* writtenLongAgo(items: AsyncIterable<ListedObject>): AsyncIterable<ListedObject> {
  for await (const item of items) yield { ...item, modifiedAt: 0 }
}
