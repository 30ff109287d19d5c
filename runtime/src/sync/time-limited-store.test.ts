import { getEventListeners } from 'node:events'
import { expect, it } from 'vitest'
import { systemClock } from '../clock.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { createMemoryStore } from '../store/memory.ts'
import { limitStoreTime } from './time-limited-store.ts'

const limit = (store: ArtifactStore, timeoutMs = 20) =>
  limitStoreTime(store, { clock: systemClock, timeoutMs })

const never = (): Promise<never> => new Promise(() => {})
const deaf: ArtifactStore = { ...createMemoryStore(), get: never, put: never, delete: never }

it.each<[string, (store: ArtifactStore) => Promise<unknown>]>([
  ['read', (store) => store.get('a', { maxBytes: 10 })],
  ['write', (store) => store.put('a', new Uint8Array())],
  ['deletion', (store) => store.delete('a')],
])('ends a %s with STORE_TIMEOUT although the store ignores its signal', async (_what, use) => {
  await expect(use(limit(deaf))).rejects.toMatchObject({ code: 'STORE_TIMEOUT' })
})

it('ends at once, with its reason, when the given signal aborts', async () => {
  const closing = new AbortController()
  const read = limit(deaf, 60_000).get('a', { maxBytes: 10, signal: closing.signal })
  closing.abort(new Error('closing'))
  await expect(read).rejects.toThrow('closing')
  await expect(
    limit(deaf, 60_000).get('a', { maxBytes: 10, signal: closing.signal }),
  ).rejects.toThrow('closing')
})

it('leaves nothing behind on the signal of a runtime that polls for months', async () => {
  const closing = new AbortController()
  const { signal } = closing
  const store = limit(createMemoryStore(), 60_000)
  for (let polls = 0; polls < 3; polls++) await store.get('a', { maxBytes: 10, signal })
  await expect(limit(deaf).get('a', { maxBytes: 10, signal })).rejects.toThrow('did not deliver a')
  expect(getEventListeners(signal, 'abort')).toEqual([])
})

it('tells the store that nobody waits any more', async () => {
  const told = Promise.withResolvers<unknown>()
  const listening: ArtifactStore = {
    ...deaf,
    get: (_key, { signal }) => {
      signal?.addEventListener('abort', () => told.resolve(signal.reason))
      return never()
    },
  }
  await expect(limit(listening).get('a', { maxBytes: 10 })).rejects.toThrow('did not deliver a')
  expect(await told.promise).toMatchObject({ code: 'STORE_TIMEOUT' })
})

it('passes on what a store in time answers, one whose methods live on a class too', async () => {
  const memory = createMemoryStore()
  class Store implements ArtifactStore {
    get location() {
      return 'class:'
    }
    get: ArtifactStore['get'] = (key, options) => memory.get(key, options)
    put: ArtifactStore['put'] = (key, bytes, options) => memory.put(key, bytes, options)
    list(prefix: string) {
      return memory.list(prefix)
    }
    async delete(key: string) {
      await memory.delete(key)
    }
    async close() {}
  }
  const store = limit(new Store(), 60_000)
  expect(store.location).toBe('class:')
  await store.put('a', Buffer.from('x'))
  expect(await store.get('a', { maxBytes: 10 })).toMatchObject({ status: 'found' })
  for await (const { key } of store.list('')) expect(key).toBe('a')
  await store.delete('a')
  expect(await store.get('a', { maxBytes: 10 })).toEqual({ status: 'missing' })
})
