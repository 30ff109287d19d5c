import { describe, expect, it } from 'vitest'
import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors.ts'
import { digestHex, digestOf } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { createMemoryStore } from '../store/memory.ts'
import { createCacheFaults } from './cache-faults.ts'
import { createDiskCache, type DiskCache } from './disk-cache.ts'
import type { Alarm } from './status.ts'

const maxBytes = 1000
const bytes = Uint8Array.from(Buffer.from('an artifact'))
const key = objectKey.artifact(digestOf(bytes))
const manifestKey = objectKey.manifest('production')
const clock: Clock = { now: () => 0, sleep: async () => {} }

function create(disk: ArtifactStore | null = createMemoryStore(), remote = createMemoryStore()) {
  const faults: Alarm[] = []
  const onFault = (fault: Alarm): void => void faults.push(fault)
  const cacheFaults = createCacheFaults({ clock, onFault })
  const cache = createDiskCache({ environment: 'production', remote, disk, faults: cacheFaults })
  return { cache, disk, remote, faults, cacheFaults }
}

const commit = (cache: DiskCache) =>
  cache.commit({
    manifestBytes: Buffer.from('manifest'),
    needed: [key],
    keep: new Set([digestOf(bytes)]),
  })

const full = (store: ArtifactStore, refuses: (key: string) => boolean): ArtifactStore => ({
  ...store,
  put: async (key, bytes, options) => {
    if (refuses(key)) throw new RuntimeError('STORE_UNAVAILABLE', 'no space left on device')
    return store.put(key, bytes, options)
  },
})

describe('reads through', () => {
  it('keep what is named by its digest, and need the store no more', async () => {
    const { cache, disk, remote } = create()
    await remote.put(key, bytes)
    expect(await cache.store.get(key, { maxBytes })).toMatchObject({ bytes })
    expect(await disk?.get(key, { maxBytes })).toMatchObject({ status: 'found' })
    await remote.delete(key)
    expect(await cache.store.get(key, { maxBytes })).toMatchObject({ bytes })
  })

  it('never keep or answer from disk what may change', async () => {
    const { cache, disk, remote } = create()
    await remote.put(manifestKey, Buffer.from('1'))
    await cache.store.get(manifestKey, { maxBytes })
    expect(await disk?.get(manifestKey, { maxBytes })).toEqual({ status: 'missing' })
  })

  it('replace a damaged file, and do not keep what the store has damaged', async () => {
    const { cache, disk, remote } = create()
    await disk?.put(key, Buffer.from('half an'))
    await remote.put(key, bytes)
    expect(await cache.store.get(key, { maxBytes })).toMatchObject({ bytes })
    expect(await disk?.get(key, { maxBytes })).toMatchObject({ bytes })

    const other = objectKey.artifact(digestOf('other'))
    await remote.put(other, Buffer.from('not it'))
    await cache.store.get(other, { maxBytes })
    expect(await disk?.get(other, { maxBytes })).toEqual({ status: 'missing' })
  })

  it('go on without the disk, and say so once', async () => {
    const { cache, remote, faults } = create(full(createMemoryStore(), () => true))
    await remote.put(key, bytes)
    await cache.store.get(key, { maxBytes })
    await cache.update({ lastGood: {} })
    expect(await cache.store.get(key, { maxBytes })).toMatchObject({ bytes })
    expect(faults).toMatchObject([{ code: 'CACHE_UNUSABLE' }])
  })
})

describe('a commit', () => {
  it('deletes objects nobody needs, source maps among them, and nothing else', async () => {
    const { cache, disk } = create()
    const old = digestOf('old')
    const foreign = ['state.json', 'trust/2.json', 'notes.txt', `artifacts/${digestHex(old)}.txt`]
    const stale = [objectKey.artifact(old), objectKey.sourceMap(old), objectKey.release(old)]
    for (const each of [...foreign, ...stale, key]) await disk?.put(each, bytes)
    await commit(cache)
    const left: string[] = []
    for await (const { key } of disk?.list('') ?? []) left.push(key)
    expect(left.toSorted()).toEqual([...foreign, key, manifestKey].toSorted())
  })

  it('fetches again what is needed and not there', async () => {
    const { cache, disk, remote, cacheFaults } = create()
    await remote.put(key, bytes)
    await commit(cache)
    expect(await disk?.get(key, { maxBytes })).toMatchObject({ status: 'found' })
    expect(cacheFaults.current).toBeNull()
  })

  it('leaves the state before it whole when it cannot be complete, and says so until it is', async () => {
    const memory = createMemoryStore()
    const before = objectKey.artifact(digestOf(Buffer.from('before')))
    await memory.put(before, Buffer.from('before'))
    await memory.put(manifestKey, Buffer.from('the manifest before'))
    let isFull = true
    const disk = full(memory, (each) => isFull && each === key)
    const { cache, remote, faults, cacheFaults } = create(disk)
    await remote.put(key, bytes)
    await commit(cache)
    // Small writes still fit; they must not hide it.
    await cache.update({ unfinished: null })
    expect(cacheFaults.current).toMatchObject({ code: 'CACHE_UNUSABLE' })
    expect(await memory.get(manifestKey, { maxBytes })).toMatchObject({
      bytes: Uint8Array.from(Buffer.from('the manifest before')),
    })
    expect(await memory.get(before, { maxBytes })).toMatchObject({ status: 'found' })

    isFull = false
    await commit(cache)
    expect(cacheFaults.current).toBeNull()
    expect(faults).toHaveLength(1)
  })
})

it('remembers its state, and begins anew when that is damaged', async () => {
  const disk = createMemoryStore()
  const highestSeen = { epoch: 1, version: 7, digest: digestOf('m') }
  await create(disk).cache.update({ highestSeen })
  const again = create(disk).cache
  await again.open()
  expect(again.state).toMatchObject({ highestSeen })

  await disk.put('state.json', Buffer.from('{"highestSeen":'))
  const { cache, faults } = create(disk)
  await cache.open()
  expect(cache.state).toMatchObject({ highestSeen: null })
  expect(faults).toMatchObject([{ code: 'CACHE_UNUSABLE' }])
})

/** The state that the next process finds on this disk. */
async function kept(disk: ArtifactStore): Promise<unknown> {
  const { cache } = create(disk)
  await cache.open()
  return cache.state
}

describe('its state', () => {
  const highestSeen = { epoch: 1, version: 7, digest: digestOf('m') }
  const unfinished = { digest: digestOf('m'), attempts: 1 }

  it('is written once for what was noted and what is updated after it', async () => {
    const disk = createMemoryStore()
    let writes = 0
    const { cache } = create({ ...disk, put: (...args) => (writes++, disk.put(...args)) })
    cache.note({ highestSeen })
    expect(await kept(disk)).toMatchObject({ highestSeen: null })
    await cache.update({ unfinished })
    expect(await kept(disk)).toMatchObject({ highestSeen, unfinished })
    await cache.flush()
    expect(writes).toBe(1)
    cache.note({ recent: ['shop/card'] })
    await cache.close()
    expect(await kept(disk)).toMatchObject({ recent: ['shop/card'] })
  })

  it('is durable with the next update when it was only marked', async () => {
    const disk = createMemoryStore()
    const durable: (boolean | undefined)[] = []
    const { cache } = create({
      ...disk,
      put: (key, bytes, options) => {
        durable.push(options?.durable)
        return disk.put(key, bytes, options)
      },
    })
    await cache.mark({ unfinished })
    expect(await kept(disk)).toMatchObject({ unfinished })
    await cache.mark({})
    await cache.flush()
    await cache.flush()
    expect(durable).toEqual([false, false, true])
  })

  it('is never overtaken by an older one that takes longer to write', async () => {
    const disk = createMemoryStore()
    const slow = Promise.withResolvers<void>()
    let writes = 0
    const { cache } = create({
      ...disk,
      put: async (...args) => {
        if (writes++ === 0) await slow.promise
        return disk.put(...args)
      },
    })
    const updates = [cache.update({ highestSeen }), cache.update({ unfinished })]
    await new Promise(setImmediate)
    slow.resolve()
    await Promise.all(updates)
    expect(await kept(disk)).toMatchObject({ highestSeen, unfinished })
  })
})

it('does nothing without a disk', async () => {
  const { cache, remote, faults } = create(null)
  await remote.put(key, bytes)
  await cache.open()
  await cache.update({ lastGood: {} })
  await commit(cache)
  expect(await cache.store.get(key, { maxBytes })).toMatchObject({ bytes })
  expect(faults).toEqual([])
})
