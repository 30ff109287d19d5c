import { createMemoryStore, type ListedObject } from '@needle-faas/runtime/store'
import { beforeAll, expect, test } from 'vitest'
import { prune } from '../../src/publish/prune.ts'
import {
  createTestTrust,
  type TestTrust,
} from '../../../runtime/src/manifest/testing/test-trust.ts'
import { createTestPublisher, publishCode, readServedCode } from './environment-under-test.ts'

let trust: TestTrust
beforeAll(async () => {
  trust = await createTestTrust()
})

const later = (): number => Date.now() + 60_000

async function publishedFive() {
  const store = createMemoryStore()
  const publisher = createTestPublisher(trust, store)
  for (const n of [1, 2, 3, 4, 5]) await publishCode(publisher, trust, { 'shop/card': `card ${n}` })
  return store
}

test('what no manifest names any more goes; what serves or is kept warm stays', async () => {
  const store = await publishedFive()
  const result = await prune({ store, root: trust.root, keepSince: later(), apply: true })
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
  const told = await prune({ store, root: trust.root, keepSince: later(), apply: false })
  const again = await prune({ store, root: trust.root, keepSince: later(), apply: false })
  expect(again.objects).toEqual(told.objects)
  expect(told.objects).toHaveLength(8)
})

test('what was named within the period stays', async () => {
  const store = await publishedFive()
  const keepSince = Date.now() - 60_000
  const result = await prune({ store, root: trust.root, keepSince, apply: true })
  expect(result.objects).toEqual([])
})

test('what a manifest of the period names stays however long ago it was written', async () => {
  const store = await publishedFive()
  const aged = { ...store, list: (prefix: string) => writtenLongAgo(store.list(prefix)) }
  const keepSince = Date.now() - 60_000
  const result = await prune({ store: aged, root: trust.root, keepSince, apply: true })
  expect(result.objects).toEqual([])
})

test('what another environment of the store serves stays', async () => {
  const store = await publishedFive()
  const staging = createTestPublisher(trust, store)
  const access = { ...staging.access, environment: 'staging' }
  await publishCode({ ...staging, access }, trust, { 'shop/card': 'card 1' })
  const result = await prune({ store, root: trust.root, keepSince: later(), apply: true })
  expect(result.objects.filter(({ key }) => key.startsWith('artifacts/'))).toHaveLength(1)
})

test('running it again after everything old is gone still works', async () => {
  const store = await publishedFive()
  await prune({ store, root: trust.root, keepSince: later(), apply: true })
  const again = await prune({ store, root: trust.root, keepSince: 0, apply: true })
  expect(again.objects).toEqual([])
})

test('an environment that cannot be verified stops it before anything is deleted', async () => {
  const store = await publishedFive()
  const stranger = createTestPublisher(await createTestTrust(), store)
  const access = { ...stranger.access, environment: 'staging' }
  await publishCode({ ...stranger, access }, trust, {})
  const run = prune({ store, root: trust.root, keepSince: later(), apply: true })
  await expect(run).rejects.toMatchObject({ code: 'SIGNER_UNKNOWN' })
  const told = await prune({
    store: { ...store, list: (prefix) => without(store.list(prefix), 'environments/staging/') },
    root: trust.root,
    keepSince: later(),
    apply: false,
  })
  expect(told.objects.length).toBeGreaterThan(0)
})

async function* without<Item extends { readonly key: string }>(
  items: AsyncIterable<Item>,
  prefix: string,
): AsyncIterable<Item> {
  for await (const item of items) if (!item.key.startsWith(prefix)) yield item
}

async function* writtenLongAgo(items: AsyncIterable<ListedObject>): AsyncIterable<ListedObject> {
  for await (const item of items) yield { ...item, modifiedAt: 0 }
}
