import { setImmediate } from 'node:timers/promises'
import type { Revision } from '../function/revision.ts'
import type { Digest } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import { limitConcurrency } from './limit-concurrency.ts'

/** Fetches and verifies a release; the function it resolves to loads it and blocks the event loop meanwhile. */
export type FetchRevision = (
  functionName: string,
  ref: ReleaseRef,
  signal: AbortSignal,
) => Promise<() => Promise<Revision>>

/** The loaded revisions of this process, by release. */
export interface RevisionPool {
  get(release: Digest): Revision | undefined
  /** Loads each release once, however many ask for it. Rejects as `fetch` and the load do. */
  load(functionName: string, ref: ReleaseRef, signal: AbortSignal): Promise<Revision>
  /** Lets its calls end, then disposes of it; loading it again makes another revision. */
  retire(release: Digest): void
  /** Lets the calls of all others end, then disposes of them. */
  keepOnly(releases: ReadonlySet<Digest>): void
  /** Resolves when everything is drained and disposed of. */
  close(): Promise<void>
}

export interface RevisionPoolOptions {
  readonly fetch: FetchRevision
  readonly drainTimeoutMs: number
  readonly maxDownloads: number
  readonly onDrainTimeout: (revision: Revision) => void
}

export function createRevisionPool(options: RevisionPoolOptions): RevisionPool {
  const loaded = new Map<Digest, Revision>()
  const loading = new Map<Digest, Promise<Revision>>()
  const draining = new Set<Promise<void>>()
  const download = limitConcurrency(options.maxDownloads)
  const oneAtATime = limitConcurrency(1)

  const fetchAndLoad = async (
    name: string,
    ref: ReleaseRef,
    signal: AbortSignal,
  ): Promise<Revision> => {
    const loadRevision = await download(() => options.fetch(name, ref, signal))
    return oneAtATime(async () => {
      // Requests that arrived during the load before this one go first.
      await setImmediate()
      signal.throwIfAborted()
      const revision = await loadRevision()
      loaded.set(ref.release, revision)
      return revision
    })
  }

  const drain = async (revision: Revision): Promise<void> => {
    const end = await revision.drained(options.drainTimeoutMs)
    if (end === 'timedOut') options.onDrainTimeout(revision)
    revision.dispose()
  }

  const retire = (release: Digest, revision: Revision): void => {
    loaded.delete(release)
    const done = drain(revision).finally(() => draining.delete(done))
    draining.add(done)
  }

  return {
    get: (release) => loaded.get(release),
    load: (name, ref, signal) => {
      const known = loaded.get(ref.release)
      if (known !== undefined) return Promise.resolve(known)
      const running = loading.get(ref.release)
      if (running !== undefined) return running
      const begun = fetchAndLoad(name, ref, signal).finally(() => loading.delete(ref.release))
      loading.set(ref.release, begun)
      return begun
    },
    retire: (release) => {
      const revision = loaded.get(release)
      if (revision !== undefined) retire(release, revision)
    },
    keepOnly: (releases) => {
      for (const [release, revision] of loaded) {
        if (!releases.has(release)) retire(release, revision)
      }
    },
    close: async () => {
      await Promise.allSettled(loading.values())
      for (const [release, revision] of loaded) retire(release, revision)
      await Promise.all(draining)
    },
  }
}
