import { RuntimeError } from '../errors.ts'
import { digestHex, digestOf } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { ArtifactStore, GetOptions, GetResult } from '../store/artifact-store.ts'
import { type CacheState, cacheStateSchema, emptyCacheState } from './cache-state.ts'

/**
 * Last known good on disk: the exact signed bytes, under the same keys as in the bucket, so that a
 * boot verifies them again exactly as it would verify the bucket's.
 */
export interface DiskCache {
  /** Only what is on disk: what a boot without the store reads. Null without a cache directory. */
  readonly disk: ArtifactStore | null
  /** The remote store; immutable objects come from disk when it has them and go there when it has not. */
  readonly store: ArtifactStore
  /** Why the directory cannot be used now; null when it can. The instance serves either way. */
  readonly fault: RuntimeError | null
  readonly state: CacheState
  /** Reads the state of the instance that ran before. Never rejects. */
  open(): Promise<void>
  /** Changes the state and resolves when it is on disk, or cannot be. */
  update(change: Partial<CacheState>): Promise<void>
  /**
   * Makes this manifest the one to boot from, after all it names was fetched through `store`, and
   * deletes objects other than `keep`.
   */
  commit(manifestBytes: Uint8Array, keep: ReadonlySet<string>): Promise<void>
}

export interface DiskCacheOptions {
  readonly environment: string
  readonly remote: ArtifactStore
  /** A store over the cache directory; null without one. */
  readonly disk: ArtifactStore | null
  readonly onFault: (fault: RuntimeError) => void
}

const stateKey = 'state.json'
const maxStateBytes = 16 * 1024 * 1024

export function createDiskCache(options: DiskCacheOptions): DiskCache {
  const { remote, disk, environment, onFault } = options
  let state = emptyCacheState
  let fault: RuntimeError | null = null
  /** Trust roots are not named by digest: they reach the disk with a manifest that they vouch for. */
  const trustRoots = new Map<string, Uint8Array>()

  const attempt = async (work: (disk: ArtifactStore) => Promise<void>): Promise<void> => {
    if (disk === null) return
    try {
      await work(disk)
      fault = null
    } catch (cause) {
      const isNew = fault === null
      fault = new RuntimeError(
        'CACHE_UNUSABLE',
        `The cache directory ${disk.location} cannot be used: ${messageOf(cause)}. The instance serves, but cannot restart without the store.`,
        { cause },
      )
      if (isNew) onFault(fault)
    }
  }

  const readThrough = async (key: string, getOptions: GetOptions): Promise<GetResult> => {
    const digest = digestInKey(key)
    if (disk !== null && digest !== null) {
      const cached = await readIntact(disk, key, digest, getOptions)
      if (cached !== null) return cached
    }
    const result = await remote.get(key, getOptions)
    if (result.status !== 'found') return result
    if (digest !== null && digestHex(digestOf(result.bytes)) === digest) {
      await attempt(async (disk) => void (await disk.put(key, result.bytes)))
    }
    if (key.startsWith(trustPrefix)) trustRoots.set(key, result.bytes)
    return result
  }

  return {
    disk,
    store: { ...remote, get: readThrough },
    get fault() {
      return fault
    },
    get state() {
      return state
    },
    open: () =>
      attempt(async (disk) => {
        const found = await disk.get(stateKey, { maxBytes: maxStateBytes })
        if (found.status !== 'found') return
        state = cacheStateSchema.parse(JSON.parse(Buffer.from(found.bytes).toString('utf8')))
      }),
    update: async (change) => {
      state = { ...state, ...change }
      await attempt(
        async (disk) => void (await disk.put(stateKey, Buffer.from(JSON.stringify(state)))),
      )
    },
    commit: (manifestBytes, keep) =>
      attempt(async (disk) => {
        for (const [key, bytes] of trustRoots) await disk.put(key, bytes)
        trustRoots.clear()
        await disk.put(objectKey.manifest(environment), manifestBytes)
        for await (const { key } of disk.list('')) {
          if (digestInKey(key) !== null && !keep.has(key)) await disk.delete(key)
        }
      }),
  }
}

const trustPrefix = 'trust/'
const immutableKey =
  /^(?:artifacts|releases|environments\/[^/]+\/(?:groups|quarantine))\/([0-9a-f]{64})\.(?:json|js)$/

/**
 * The hex digest in the key of an object named by it; null for every other key. Source maps are not
 * among them: they lie beside their artifact, and a failure can be logged without one.
 */
function digestInKey(key: string): string | null {
  return immutableKey.exec(key)?.[1] ?? null
}

/** A damaged file counts as absent: the store has a good one. */
async function readIntact(
  disk: ArtifactStore,
  key: string,
  digest: string,
  options: GetOptions,
): Promise<GetResult | null> {
  try {
    const result = await disk.get(key, { maxBytes: options.maxBytes, signal: options.signal })
    if (result.status !== 'found') return null
    return digestHex(digestOf(result.bytes)) === digest ? result : null
  } catch (error) {
    if (error instanceof RuntimeError) return null
    throw error
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
