import { outsideAnyCall } from '../function/outside-any-call.ts'
import type { Revision } from '../function/revision.ts'
import type { Digest } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import type { Release } from '../manifest/release.ts'
import { createLazyRevision, type LazyRevision } from './lazy-revision.ts'
import { limitConcurrency } from './limit-concurrency.ts'

/** The revisions of this process, by release, loaded or not. */
export interface RevisionPool {
  get(release: Digest): LazyRevision | undefined
  /** Fetches and verifies the release, not its code. Rejects as `readRelease` does. */
  register(functionName: string, ref: ReleaseRef, signal: AbortSignal): Promise<LazyRevision>
  /** Those that are loaded. */
  loaded(): Iterable<LazyRevision>
  /** Serves no more, and stays loaded: lets its calls end, and holds its timers, until it is resumed. */
  standBy(revision: LazyRevision): void
  /** Lets its calls end, then frees its memory; the next call loads it again. */
  unload(revision: LazyRevision): void
  /** Lets its calls end, then disposes of it; registering it again makes another revision. */
  retire(release: Digest): void
  /** Lets the calls of all others end, then disposes of them. */
  keepOnly(releases: ReadonlySet<Digest>): void
  /** Resolves when everything is drained and disposed of; to be called when `closing` has aborted. */
  close(): Promise<void>
}

export interface RevisionPoolOptions {
  readonly readRelease: (
    functionName: string,
    ref: ReleaseRef,
    signal: AbortSignal,
  ) => Promise<Release>
  /** Fetches and verifies the code; what it resolves to evaluates it, which blocks the event loop. */
  readonly fetch: (
    ref: ReleaseRef,
    release: Release,
    signal: AbortSignal,
  ) => Promise<() => Promise<Revision>>
  /** Says more of why a load failed than what it rejected with; meanwhile others load. */
  readonly explain: (error: unknown, ref: ReleaseRef, release: Release) => Promise<unknown>
  readonly drainTimeoutMs: number
  readonly maxDownloads: number
  /** Ends what is fetched and loaded. */
  readonly closing: AbortSignal
  readonly onDrainTimeout: (revision: Pick<Revision, 'id' | 'inFlight'>) => void
}

export function createRevisionPool(options: RevisionPoolOptions): RevisionPool {
  const { closing } = options
  const revisions = new Map<Digest, LazyRevision>()
  const registering = new Map<Digest, Promise<LazyRevision>>()
  const loading = new Set<Promise<unknown>>()
  const draining = new Set<Promise<void>>()
  const download = limitConcurrency(options.maxDownloads)
  const oneAtATime = limitConcurrency(1)

  const fetchAndLoad = async (ref: ReleaseRef, release: Release): Promise<Revision> => {
    const evaluate = await download(() => options.fetch(ref, release, closing))
    try {
      return await oneAtATime(async () => {
        closing.throwIfAborted()
        return evaluate()
      })
    } catch (error) {
      throw await options.explain(error, ref, release)
    }
  }

  const register = async (
    name: string,
    ref: ReleaseRef,
    signal: AbortSignal,
  ): Promise<LazyRevision> => {
    const release = await download(() => options.readRelease(name, ref, signal))
    closing.throwIfAborted()
    const revision = createLazyRevision({
      release,
      releaseDigest: ref.release,
      load: () => outsideAnyCall(() => track(loading, fetchAndLoad(ref, release))),
    })
    revisions.set(ref.release, revision)
    return revision
  }

  const drain = async (revision: Revision): Promise<void> => {
    const end = await revision.drained(options.drainTimeoutMs)
    if (end === 'timedOut') options.onDrainTimeout(revision)
    revision.dispose()
  }

  const letGo = (revision: Revision | null): void => {
    if (revision !== null) void track(draining, drain(revision))
  }

  const tellEnded = async (revision: LazyRevision, ended: Promise<number>): Promise<void> => {
    const inFlight = await ended
    if (inFlight > 0) options.onDrainTimeout({ id: revision.id, inFlight })
  }

  const retire = (revision: LazyRevision): void => {
    revisions.delete(revision.releaseDigest)
    letGo(revision.retire())
  }

  return {
    get: (release) => revisions.get(release),
    register: (name, ref, signal) => {
      const known = revisions.get(ref.release)
      if (known !== undefined) return Promise.resolve(known)
      const running = registering.get(ref.release)
      if (running !== undefined) return running
      const begun = register(name, ref, signal).finally(() => registering.delete(ref.release))
      registering.set(ref.release, begun)
      return begun
    },
    loaded: () => [...revisions.values()].filter(({ isLoaded }) => isLoaded),
    standBy: (revision) => {
      const ended = revision.standBy(options.drainTimeoutMs)
      if (ended !== null) void track(draining, tellEnded(revision, ended))
    },
    unload: (revision) => letGo(revision.unload()),
    retire: (release) => {
      const revision = revisions.get(release)
      if (revision !== undefined) retire(revision)
    },
    keepOnly: (releases) => {
      for (const [release, revision] of revisions) if (!releases.has(release)) retire(revision)
    },
    close: async () => {
      await Promise.allSettled([...registering.values(), ...loading])
      for (const revision of revisions.values()) retire(revision)
      await Promise.all(draining)
    },
  }
}

/** Keeps a promise in the set for as long as it is pending. */
function track<Result>(set: Set<Promise<unknown>>, promise: Promise<Result>): Promise<Result> {
  set.add(promise)
  const forget = (): void => void set.delete(promise)
  promise.then(forget, forget)
  return promise
}
