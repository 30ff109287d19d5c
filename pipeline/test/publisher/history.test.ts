import { objectKey, sizeLimit } from '@needle-faas/runtime/manifest'
import {
  type ArtifactStore,
  createMemoryStore,
  type PutResult,
  RuntimeError,
} from '@needle-faas/runtime/store'
import { beforeAll, expect, test } from 'vitest'
import { planHold } from '../../src/plan/plan-hold.ts'
import { changeEnvironment } from '../../src/publish/change-environment.ts'
import {
  createTestTrust,
  type TestTrust,
} from '../../../runtime/src/manifest/testing/test-trust.ts'
import {
  createTestPublisher,
  publishCode,
  readHistoryVersions,
  readServedCode,
} from './environment-under-test.ts'

let trust: TestTrust
beforeAll(async () => {
  trust = await createTestTrust()
})

const card = { 'shop/card': 'card 1' }

test('publishing what is live already writes no manifest', async () => {
  const publisher = createTestPublisher(trust)
  await publishCode(publisher, trust, card)
  const again = await publishCode(publisher, trust, card)
  expect(again).toMatchObject({ isWritten: false, manifest: { version: 1 } })
  expect(await readHistoryVersions(publisher.access.store)).toEqual([1])
})

test('a group that did not change keeps its object', async () => {
  const publisher = createTestPublisher(trust)
  const first = await publishCode(publisher, trust, { ...card, 'ads/banner': 'banner 1' })
  const second = await publishCode(publisher, trust, { ...card, 'ads/banner': 'banner 2' })
  expect(second.manifest?.groups['shop']).toEqual(first.manifest?.groups['shop'])
  expect(second.manifest?.groups['ads']).not.toEqual(first.manifest?.groups['ads'])
})

test('many publishers at once all get their change in, without a gap', async () => {
  const store = createMemoryStore()
  const names = ['a', 'b', 'c', 'd', 'e'].map((name) => `shop/${name}`)
  const code = Object.fromEntries(names.map((name) => [name, name]))
  await publishCode(createTestPublisher(trust, store), trust, code)
  const outcomes = await Promise.all(
    names.map((name) => {
      const publisher = createTestPublisher(trust, store)
      return changeEnvironment(publisher, async (state) => ({
        plan: planHold({
          state,
          function: name,
          actor: 'Ann',
          reason: 'at once',
          now: Date.now(),
          stop: true,
          until: null,
        }),
        uploads: [],
      }))
    }),
  )
  expect(outcomes.some((outcome) => outcome.lostRaces > 0)).toBe(true)
  expect(await readHistoryVersions(store)).toEqual([1, 2, 3, 4, 5, 6])
  const newest = await publishCode(createTestPublisher(trust, store), trust, {
    ...code,
    'shop/a': 'changed',
  })
  expect(newest.plan.kept.map((kept) => kept.function)).toEqual(names)
})

test('a publisher that always loses says so and changed nothing', async () => {
  const store = createMemoryStore()
  await publishCode(createTestPublisher(trust, store), trust, card)
  const losing = overPut(store, async (put, key) =>
    key.includes('/history/') ? { status: 'conflict' } : put(),
  )
  await expect(
    publishCode(createTestPublisher(trust, losing), trust, { 'shop/card': 'card 2' }),
  ).rejects.toMatchObject({ code: 'PUBLISH_LOST' })
  expect(await readServedCode(store, trust)).toEqual(card)
})

test('a write whose answer was lost and whose retry was refused counts as won', async () => {
  const store = createMemoryStore()
  const amnesic = overPut(store, async (put, key) => {
    const result = await put()
    return key.includes('/history/') ? { status: 'conflict' } : result
  })
  const outcome = await publishCode(createTestPublisher(trust, amnesic), trust, card)
  expect(outcome).toMatchObject({ isWritten: true, lostRaces: 0, manifest: { version: 1 } })
})

test.each([
  ['silently ignores', async (_: string, put: () => Promise<PutResult>) => put()],
  [
    'refuses',
    async () => {
      throw new RuntimeError('STORE_NOT_CONDITIONAL', 'A header you provided implies 501')
    },
  ],
])('a store that %s conditional writes needs a single writer', async (_, answer) => {
  const store = createMemoryStore()
  const careless: ArtifactStore = {
    ...store,
    put: (key, bytes, options) =>
      options?.condition === undefined
        ? store.put(key, bytes, options)
        : answer(key, () => store.put(key, bytes)),
  }
  const publisher = createTestPublisher(trust, careless)
  await expect(publishCode(publisher, trust, card)).rejects.toMatchObject({
    code: 'STORE_IGNORES_CONDITIONS',
  })
  await publishCode({ ...publisher, singleWriter: true }, trust, card)
  await publishCode({ ...publisher, singleWriter: true }, trust, { 'shop/card': 'card 2' })
  expect(await readServedCode(store, trust)).toEqual({ 'shop/card': 'card 2' })
})

test.each([
  ['gone', (store: ArtifactStore, key: string) => store.delete(key)],
  ['truncated', (store: ArtifactStore, key: string) => store.put(key, new Uint8Array([123]))],
  ['huge', (store: ArtifactStore, key: string) => store.put(key, new Uint8Array(100_000))],
])('a manifest.json that is %s is put back from the history', async (_, damage) => {
  const publisher = createTestPublisher(trust)
  const { store } = publisher.access
  await publishCode(publisher, trust, card)
  await damage(store, objectKey.manifest('production'))
  const outcome = await publishCode(publisher, trust, card)
  expect(outcome.isWritten).toBe(false)
  expect(await readServedCode(store, trust)).toEqual(card)
})

test('an altered history entry stops publishing with its name', async () => {
  const publisher = createTestPublisher(trust)
  const { store } = publisher.access
  await publishCode(publisher, trust, card)
  await store.put(objectKey.history('production', 2), new TextEncoder().encode('{}'))
  await expect(publishCode(publisher, trust, card)).rejects.toThrow('history/2.json')
})

test('an entry that does not follow the one before it is a fork', async () => {
  const ours = createTestPublisher(trust)
  const theirs = createTestPublisher(trust)
  await publishCode(ours, trust, card)
  await publishCode(theirs, trust, { 'shop/card': 'other' })
  await publishCode(theirs, trust, { 'shop/card': 'other still' })
  const key = objectKey.history('production', 2)
  const foreign = await theirs.access.store.get(key, { maxBytes: sizeLimit.manifestBytes })
  if (foreign.status !== 'found') throw new Error('no entry')
  await ours.access.store.put(key, foreign.bytes)
  await expect(publishCode(ours, trust, card)).rejects.toMatchObject({ code: 'MANIFEST_FORKED' })
})

test('what is damaged under its own digest is replaced', async () => {
  const publisher = createTestPublisher(trust)
  const { store } = publisher.access
  const broken = overPut(store, async (put, key, bytes) =>
    key.startsWith('artifacts/') ? store.put(key, bytes.subarray(1)) : put(),
  )
  await publishCode({ ...publisher, access: { ...publisher.access, store: broken } }, trust, card)
  await expect(readServedCode(store, trust)).rejects.toMatchObject({ code: 'OBJECT_SIZE_MISMATCH' })
  await publishCode(publisher, trust, { ...card, 'shop/quote': 'quote' })
  expect(await readServedCode(store, trust)).toMatchObject(card)
})

function overPut(
  store: ArtifactStore,
  put: (original: () => Promise<PutResult>, key: string, bytes: Uint8Array) => Promise<PutResult>,
): ArtifactStore {
  return {
    ...store,
    put: (key, bytes, options) => put(() => store.put(key, bytes, options), key, bytes),
  }
}
