import { isRuntimeError } from '../errors.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { Release } from '../manifest/release.ts'
import { createVerifiedReader, type VerifiedReader } from '../store/verified-reader.ts'
import type { DiskCache } from './disk-cache.ts'

/** Source maps, kept on disk so that stacks stay readable without the store. */
export interface SourceMaps {
  /** From disk, else from the store. Null when the release has none. Rejects as `VerifiedReader.sourceMap`. */
  load(release: Release, signal: AbortSignal): Promise<Uint8Array | null>
  /** Brings the maps of these releases to disk, one after the other. Best effort; nothing without a disk. */
  keep(releases: readonly Release[], signal: AbortSignal): Promise<void>
}

export function createSourceMaps(options: {
  readonly cache: DiskCache
  /** Over the store. */
  readonly reader: () => VerifiedReader
}): SourceMaps {
  const { cache, reader } = options

  /** Verified like the store's own: a damaged file counts as absent. */
  const fromDisk = async (release: Release): Promise<Uint8Array | null> => {
    if (cache.disk === null) return null
    const { environment, root } = reader()
    try {
      return await createVerifiedReader({ store: cache.disk, environment, root }).sourceMap(release)
    } catch (error) {
      if (isRuntimeError(error)) return null
      throw error
    }
  }

  const load: SourceMaps['load'] = async (release, signal) => {
    const kept = await fromDisk(release)
    if (kept !== null) return kept
    const bytes = await reader().sourceMap(release, { signal })
    if (bytes !== null) {
      await cache.keep(objectKey.sourceMap(release.artifact.digest), bytes, { durable: false })
    }
    return bytes
  }

  return {
    load,
    keep: async (releases, signal) => {
      if (cache.disk === null) return
      for (const release of releases) {
        if (signal.aborted) return
        // A stack without a map is better than a function without service.
        if (release.sourceMap !== null) await load(release, signal).catch(() => null)
      }
    },
  }
}
