import type { Clock } from '../clock.ts'
import { locateLoadFailure } from '../function/locate-load-failure.ts'
import type { ProbationRecord } from '../function/probation.ts'
import { type Revision, toRevisionId } from '../function/revision.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import type { Release } from '../manifest/release.ts'
import { pause } from '../pause.ts'
import { createVerifiedReader, type VerifiedReader } from '../store/verified-reader.ts'
import { createCodeCache } from './code-cache.ts'
import type { CrashMemory } from './crash-memory.ts'
import type { DiskCache } from './disk-cache.ts'
import type { LazyRevision } from './lazy-revision.ts'
import { createRevisionPool, type RevisionPool } from './revision-pool.ts'
import { createSourceMaps } from './source-maps.ts'

/** Verified bytes of a release, about to become a revision. */
export interface LoadRequest {
  readonly ref: ReleaseRef
  readonly release: Release
  readonly artifact: Uint8Array
  /** Of an earlier load on this engine; null when there is none. */
  readonly compiled: Uint8Array | null
  readonly sourceMap: () => Promise<Uint8Array | null>
  /** Null when it has proven itself here before, and is not watched. */
  readonly probation: ProbationRecord | null
}

/** Where revisions come from: the pool, and what lies on disk to make loading safe and cheap. */
export interface RevisionSupply {
  readonly pool: RevisionPool
  /**
   * What is registered while this works is read with that reader, and its signatures are verified when
   * it is loaded: of a thousand releases few are called, and verifying all took a fifth of a start.
   */
  duringBoot<Result>(reader: VerifiedReader, work: () => Promise<Result>): Promise<Result>
  /** Brings the source maps of these releases to disk. Best effort. */
  keepSourceMaps(releases: readonly Release[], signal: AbortSignal): Promise<void>
  /** Brings the compiled code of some that were called to disk: what their calls compiled is worth keeping, too. */
  keepCompiled(): Promise<void>
  /** Forgets what is on disk about all other releases. */
  keepOnly(refs: readonly ReleaseRef[]): Promise<void>
  /** As `RevisionPool.close`. */
  close(): Promise<void>
}

export interface RevisionSupplyOptions {
  readonly cache: DiskCache
  /** Started before the first load. */
  readonly crashes: CrashMemory
  readonly reader: () => VerifiedReader
  readonly clock: Clock
  readonly drainTimeoutMs: number
  readonly onDrainTimeout: (revision: Pick<Revision, 'id' | 'inFlight'>) => void
  readonly load: (request: LoadRequest) => Promise<Revision>
  /** Ends what is fetched and loaded. */
  readonly closing: AbortSignal
}

const maxDownloads = 8
/** Each takes a few milliseconds from the calls: a thousand of them are no hurry. */
const maxCompiledAtOnce = 20

export function createRevisionSupply(options: RevisionSupplyOptions): RevisionSupply {
  const { cache, crashes, clock, closing } = options
  const codeCache = createCodeCache(cache.disk)
  const compiledKept = new WeakSet<LazyRevision>()
  let boot: { readonly reader: VerifiedReader; readonly later: VerifiedReader } | null = null
  const reader = (): VerifiedReader => boot?.reader ?? options.reader()
  const sourceMaps = createSourceMaps({ cache, reader })
  /** By whom signatures are still to be verified: under the root they would have been at the boot. */
  const unverified = new WeakMap<Release, VerifiedReader>()

  const readRelease = async (
    name: string,
    ref: ReleaseRef,
    signal: AbortSignal,
  ): Promise<Release> => {
    if (boot === null) return (await reader().release(ref, name, { signal })).document
    const { later } = boot
    const release = await reader().namedRelease(ref, name, { signal })
    unverified.set(release, later)
    return release
  }
  const assertSigned = async (
    ref: ReleaseRef,
    release: Release,
    signal: AbortSignal,
  ): Promise<void> => {
    await unverified.get(release)?.release(ref, release.function, { signal })
    unverified.delete(release)
  }

  const pool = createRevisionPool({
    drainTimeoutMs: options.drainTimeoutMs,
    maxDownloads,
    onDrainTimeout: options.onDrainTimeout,
    closing,
    readRelease,
    fetch: async (ref, release, signal) => {
      await assertSigned(ref, release, signal)
      const [artifact, compiled] = await Promise.all([
        reader().artifact(release, { signal }),
        codeCache.read(release.artifact.digest),
      ])
      const sourceMap = () => sourceMaps.load(release, closing)
      const work = { function: release.function, release: ref.release }
      const probation = crashes.isOnRecord(ref.release) ? crashes.recordOf(work) : null
      const request = { ref, release, artifact, compiled, sourceMap, probation }
      return () => crashes.duringLoad(work, () => options.load(request))
    },
    explain: (error, ref, release) =>
      locateLoadFailure(error, {
        revision: toRevisionId(release.function, ref.release),
        sourceMap: () => sourceMaps.load(release, closing),
        clock,
      }),
  })

  return {
    pool,
    duringBoot: async (reader, work) => {
      const { environment, root } = reader
      boot = {
        reader,
        later: createVerifiedReader({ store: cache.store, environment, root }),
      }
      try {
        return await work()
      } finally {
        boot = null
      }
    },
    keepSourceMaps: (releases, signal) => sourceMaps.keep(releases, signal),
    keepCompiled: async () => {
      const called = [...pool.loaded()].filter(
        (revision) => revision.calls > 0 && !compiledKept.has(revision),
      )
      for (const revision of called.slice(0, maxCompiledAtOnce)) {
        compiledKept.add(revision)
        const compiled = revision.compiled()
        if (compiled !== null) await codeCache.write(revision.release.artifact.digest, compiled)
        await pause()
      }
    },
    keepOnly: async (refs) => {
      crashes.keepOnly(new Set(refs.map((ref) => ref.release)))
      await pause()
      await codeCache.keepOnly(new Set(refs.map((ref) => ref.artifact)))
    },
    close: () => pool.close(),
  }
}
