import { RuntimeError } from '../errors.ts'
import { type Digest, digestHex, digestOf } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import { sizeLimit } from '../manifest/size-limit.ts'
import { pause } from '../pause.ts'
import type { ArtifactStore, GetOptions, GetResult, PutOptions } from '../store/artifact-store.ts'
import { listKeys } from '../store/list-keys.ts'
import { type CacheFaults, messageOf } from './cache-faults.ts'
import { type CacheState, emptyCacheState, parseCacheState } from './cache-state.ts'
import { digestInKey, readIntact } from './intact-object.ts'
import { limitConcurrency } from './limit-concurrency.ts'
import { createReleasePack } from './release-pack.ts'

/** A state that a start can serve without the store. */
export interface BootableState {
  readonly manifestBytes: Uint8Array
  /** Keys of the objects without which a start from it would serve less than now. */
  readonly needed: readonly string[]
  /** Of all objects worth keeping. */
  readonly keep: ReadonlySet<Digest>
}

/**
 * Last known good on disk: the exact signed bytes, under the same keys as in the bucket, so that a
 * boot verifies them again as it would verify the bucket's; releases by digest, and by their signatures
 * when they are loaded.
 */
export interface DiskCache {
  /** Only what is on disk. Null without a cache directory. */
  readonly disk: ArtifactStore | null
  /**
   * What a boot without the store reads: what is on disk, but many releases at once. It holds these in
   * memory; null without a cache directory. Rejects as a store does.
   */
  bootStore(): Promise<ArtifactStore | null>
  /** The remote store; immutable objects come from disk when it has them and go there when it has not. */
  readonly store: ArtifactStore
  readonly state: CacheState
  /** Reads the state of the instance that ran before. Never rejects. */
  open(): Promise<void>
  /** Changes the state, which comes to disk with the next `update` or `flush`. */
  note(change: Partial<CacheState>): void
  /** Resolves when all that was noted is on disk, or cannot be. */
  flush(): Promise<void>
  /** `note` and `flush`. */
  update(change: Partial<CacheState>): Promise<void>
  /**
   * As `update`, for the next process only: the change is durable with the next `update` or `flush`. A
   * power cut before that may cost the whole state: what serves is still booted, and its version not
   * gone back behind, as the manifest on disk tells it; what else had served is forgotten.
   */
  mark(change: Partial<CacheState>): Promise<void>
  /**
   * Stores what `store` does not store by itself, because its key does not name its digest. `durable`
   * as for a store.
   */
  keep(key: string, bytes: Uint8Array, options?: Pick<PutOptions, 'durable'>): Promise<void>
  /**
   * Makes this the state to boot from, once all it needs is on disk, and deletes other objects.
   * When it cannot be complete, the one before stays, whole.
   */
  commit(state: BootableState): Promise<void>
  /** Has `bootStore` read these at once. To be called when they are on disk, and nobody waits. Best effort. */
  packReleases(releases: readonly Digest[], signal: AbortSignal): Promise<void>
  /** Resolves when what has been fetched is on disk, or cannot be. */
  close(): Promise<void>
}

export interface DiskCacheOptions {
  readonly environment: string
  readonly remote: ArtifactStore
  /** A store over the cache directory; null without one. */
  readonly disk: ArtifactStore | null
  readonly faults: CacheFaults
}

const maxTransfers = 8

const stateKey = 'state.json'
const maxStateBytes = 16 * 1024 * 1024

export function createDiskCache(options: DiskCacheOptions): DiskCache {
  const { remote, disk, environment, faults } = options
  let state = emptyCacheState

  const attempt = async (
    work: (disk: ArtifactStore) => Promise<void>,
    about: 'access' | 'commit' = 'access',
  ): Promise<void> => {
    if (disk === null) return
    try {
      await work(disk)
      faults.mend(about)
    } catch (cause) {
      faults.fail(
        about,
        `The cache directory ${disk.location} cannot be used: ${messageOf(cause)}. The instance serves, but cannot restart without the store.`,
      )
    }
  }

  const readThrough = async (key: string, getOptions: GetOptions): Promise<GetResult> => {
    const digest = digestInKey(key)
    if (disk !== null && digest !== null) {
      const cached = await readIntact(disk, key, getOptions)
      if (cached !== null) return cached
    }
    const result = await remote.get(key, getOptions)
    if (result.status !== 'found') return result
    if (digest !== null && digestHex(digestOf(result.bytes)) === digest) {
      writeLater(key, result.bytes)
    }
    return result
  }

  /** Nobody waits for the disk but `commit`: writing 1,000 releases took as long as loading them. */
  const pending = new Set<Promise<void>>()
  const takeTurns = limitConcurrency(maxTransfers)
  const writeLater = (key: string, bytes: Uint8Array): void => {
    const written = takeTurns(() =>
      attempt(async (disk) => void (await disk.put(key, bytes))),
    ).finally(() => pending.delete(written))
    pending.add(written)
  }

  const pack = disk === null ? null : createReleasePack(disk)

  /** An object may be absent although it was fetched: a full disk, or somebody tidied up. */
  const fill = async (disk: ArtifactStore, key: string): Promise<void> => {
    const result = await remote.get(key, { maxBytes: sizeLimit.artifactBytes })
    if (result.status !== 'found' || digestHex(digestOf(result.bytes)) !== digestInKey(key)) {
      throw new RuntimeError('OBJECT_MISSING', `${key} is not there, nor in ${remote.location}`)
    }
    await disk.put(key, result.bytes)
  }

  let saved: 'not' | 'for the next process' | 'durably' = 'durably'
  let saving: Promise<void> = Promise.resolve()
  const save = async (durable: boolean): Promise<void> => {
    if (saved === 'durably' || (saved === 'for the next process' && !durable)) return
    saved = durable ? 'durably' : 'for the next process'
    const bytes = Buffer.from(JSON.stringify(state))
    await attempt(async (disk) => void (await disk.put(stateKey, bytes, { durable })))
  }
  const note = (change: Partial<CacheState>): void => {
    state = { ...state, ...change }
    saved = 'not'
  }
  /** One write after the other, or an older state could be the last to get its name. */
  const flush = (durable = true): Promise<void> => (saving = saving.then(() => save(durable)))

  return {
    disk,
    store: withGet(remote, readThrough),
    get state() {
      return state
    },
    open: () =>
      attempt(async (disk) => {
        const found = await disk.get(stateKey, { maxBytes: maxStateBytes })
        if (found.status !== 'found') return
        state = await parseCacheState(Buffer.from(found.bytes).toString('utf8'))
      }),
    bootStore: async () => {
      const lines = await pack?.read()
      if (disk === null || lines === undefined) return null
      return withGet(disk, async (key, getOptions) => {
        const bytes = lines.get(key)
        if (bytes === undefined || bytes.length > getOptions.maxBytes) {
          return disk.get(key, getOptions)
        }
        return { status: 'found', bytes, etag: `sha256:${digestInKey(key)}` }
      })
    },
    note,
    flush: () => flush(),
    update: (change) => {
      note(change)
      return flush()
    },
    mark: (change) => {
      note(change)
      return flush(false)
    },
    keep: (key, bytes, putOptions) =>
      attempt(async (disk) => void (await disk.put(key, bytes, putOptions))),
    close: async () => void (await Promise.all([...pending, flush()])),
    packReleases: async (releases, signal) =>
      pack?.keep(
        releases.map((release) => objectKey.release(release)),
        signal,
      ),
    commit: ({ manifestBytes, needed, keep }) =>
      attempt(async (disk) => {
        await Promise.all(pending)
        const present = new Set<string>()
        for await (const key of listKeys(disk, '')) {
          present.add(key)
          await pause()
        }
        const absent: string[] = []
        for (const key of needed) {
          if (!present.has(key)) absent.push(key)
          await pause()
        }
        const download = limitConcurrency(maxTransfers)
        await Promise.all(absent.map((key) => download(() => fill(disk, key))))
        await disk.put(objectKey.manifest(environment), manifestBytes)
        for (const key of present) {
          const hex = deletableKey.exec(key)?.[1]
          if (hex !== undefined && !keep.has(`sha256:${hex}`)) await disk.delete(key)
          await pause()
        }
      }, 'commit'),
  }
}

/** Methods by name: a store may be an instance of a class, which a spread would strip. */
function withGet(store: ArtifactStore, get: ArtifactStore['get']): ArtifactStore {
  return {
    location: store.location,
    get,
    put: (key, bytes, options) => store.put(key, bytes, options),
    list: (prefix, options) => store.list(prefix, options),
    keys: (prefix, options) => listKeys(store, prefix, options),
    delete: (key, options) => store.delete(key, options),
    close: () => store.close(),
  }
}

const deletableKey =
  /^(?:artifacts|releases|environments\/[^/]+\/(?:groups|quarantine))\/([0-9a-f]{64})\.(?:json|js|js\.map)$/
