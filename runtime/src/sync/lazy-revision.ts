import { RuntimeError } from '../errors.ts'
import type { Call, Outcome } from '../function/call.ts'
import { type Revision, toRevisionId } from '../function/revision.ts'
import type { Digest } from '../manifest/digest.ts'
import type { Release } from '../manifest/release.ts'

/** A verified release that becomes a revision when it is needed, and may be let go of in between. */
export interface LazyRevision {
  /** `<group>/<name>@<12 hex digits of the release digest>`. */
  readonly id: string
  readonly releaseDigest: Digest
  readonly release: Release
  readonly isLoaded: boolean
  /** The watchdog has ended an execution of it, or it did not load: it serves no more. */
  readonly isUnfit: boolean
  /** It is let go of for good: another one has taken, or may take, its release. */
  readonly isRetired: boolean
  /** Loaded and fit: a call may be handed to it. */
  readonly isReady: boolean
  /** Loaded, and not proven here yet. */
  readonly isOnProbation: boolean
  /** Calls since it was registered. */
  readonly calls: number
  /** Calls that have begun and not ended, streams included; 0 while it is not loaded. */
  readonly inFlight: number
  /**
   * Loads it once, however many ask meanwhile; one that failed is not tried again. Rejects as the
   * load does, and with `RUNTIME_CLOSED` when it was retired before that ended.
   */
  load(): Promise<void>
  /** Answers one call, if it is ready; see `Revision`. */
  invoke(call: Call): Promise<Outcome>
  /** As `Revision.compiled`; null while it is not loaded. */
  compiled(): Uint8Array | null
  /** It serves no more: whoever meets it looks for another. */
  condemn(): void
  /**
   * It serves no more and is kept, as it may again. As `Revision.standBy`; one that is loaded later
   * stands by from then on.
   */
  standBy(drainTimeoutMs: number): Promise<number> | null
  /** It serves again. Idempotent. */
  resume(): void
  /** Takes it out of memory until the next `load`; what is returned is to be drained and disposed of. */
  unload(): Revision | null
  /** As `unload`, for good. */
  retire(): Revision | null
}

export interface LazyRevisionOptions {
  readonly release: Release
  readonly releaseDigest: Digest
  readonly load: () => Promise<Revision>
}

export function createLazyRevision(options: LazyRevisionOptions): LazyRevision {
  const { release, releaseDigest } = options
  const id = toRevisionId(release.function, releaseDigest)
  let loaded: Revision | null = null
  let loading: Promise<void> | null = null
  let isCondemned = false
  let isRetired = false
  let isStandby = false
  let calls = 0

  const load = async (): Promise<void> => {
    const revision = await options.load()
    if (isRetired) {
      revision.dispose()
      throw replaced(id)
    }
    loaded = revision
    loading = null
    if (isStandby) void revision.standBy(0)
  }
  const unload = (): Revision | null => {
    const before = loaded
    loaded = null
    return before
  }

  return {
    id,
    releaseDigest,
    release,
    get isLoaded() {
      return loaded !== null
    },
    get isUnfit() {
      return isCondemned || loaded?.isRunaway === true
    },
    get isRetired() {
      return isRetired
    },
    get isReady() {
      return loaded !== null && !isCondemned && !loaded.isRunaway
    },
    get isOnProbation() {
      return loaded?.isOnProbation === true
    },
    get calls() {
      return calls
    },
    get inFlight() {
      return loaded?.inFlight ?? 0
    },
    load: async () => {
      if (loaded !== null) return
      if (isRetired) throw replaced(id)
      await (loading ??= load())
    },
    invoke: (call) => {
      if (loaded === null) throw new TypeError(`${id} is not loaded`)
      calls += 1
      return loaded.invoke(call)
    },
    compiled: () => loaded?.compiled() ?? null,
    condemn: () => {
      isCondemned = true
    },
    standBy: (drainTimeoutMs) => {
      // The deadline of its calls goes on, whatever else changes meanwhile.
      if (isStandby) return null
      isStandby = true
      return loaded === null ? null : loaded.standBy(drainTimeoutMs)
    },
    resume: () => {
      if (!isStandby) return
      isStandby = false
      loaded?.resume()
    },
    unload,
    retire: () => {
      isRetired = true
      return unload()
    },
  }
}

/** Else one would not understand what a host has made of a request to the other. */
export function hasSameRoute({ release }: LazyRevision, other: LazyRevision): boolean {
  const [a, b] = [release.settings.http, other.release.settings.http]
  return a.method === b.method && a.path === b.path
}

function replaced(id: string): RuntimeError {
  return new RuntimeError('RUNTIME_CLOSED', `${id} was replaced before it was loaded`)
}
