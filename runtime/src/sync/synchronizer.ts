import type { Clock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import type { Revision } from '../function/revision.ts'
import { isExpired } from '../manifest/acceptance.ts'
import type { Digest } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import type { Release } from '../manifest/release.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import type { VerifiedReader } from '../store/verified-reader.ts'
import { createActivator } from './activator.ts'
import { bootFromDisk } from './boot-from-disk.ts'
import { type DesiredState, objectKeysOf } from './desired-state.ts'
import { createDiskCache } from './disk-cache.ts'
import { createFailureMemory } from './failure-memory.ts'
import { createManifestPoll } from './manifest-poll.ts'
import { maxBackoffMs } from './poll-delay.ts'
import { createPollLoop } from './poll-loop.ts'
import { createRevisionPool } from './revision-pool.ts'
import type { Serving } from './serving.ts'
import type { Alarm, RuntimeEvent, RuntimeStatus } from './status.ts'
import { type SyncMoments, toStatus } from './to-status.ts'

/** Verified bytes of a release, about to become a revision. */
export interface LoadRequest {
  readonly ref: ReleaseRef
  readonly release: Release
  readonly artifact: Uint8Array
  readonly sourceMap: () => Promise<Uint8Array | null>
}

export interface SynchronizerOptions {
  readonly store: ArtifactStore
  /** A store over the cache directory; null without one. */
  readonly disk: ArtifactStore | null
  readonly environment: string
  readonly instance: string
  readonly groups: readonly string[]
  readonly root: TrustRoot
  readonly pollIntervalMs: number
  readonly bootDeadlineMs: number
  readonly drainTimeoutMs: number
  readonly minVersion?: number | undefined
  readonly warmPrevious: number
  readonly clock: Clock
  readonly random: () => number
  readonly load: (request: LoadRequest) => Promise<Revision>
  readonly onEvent: (event: RuntimeEvent) => void
  /** Something the status shows has changed. */
  readonly onChange: () => void
}

/** Keeps what serves here equal to what the environment's manifest says. */
export interface Synchronizer {
  /** Replaced in one assignment; hold it for one step of a request only. */
  readonly serving: Serving
  readonly isReady: boolean
  /** Resolves once something serves, or when the boot deadline is over; polls go on either way. */
  start(): Promise<void>
  /** Resolves when something serves. */
  ready(): Promise<void>
  /** Resolves after a poll, and what follows from it, that began after this call. */
  refresh(): Promise<void>
  status(): RuntimeStatus
  /** Release behind the id of a revision that serves. */
  releaseOf(revisionId: string): Digest | null
  /** Stops polling, lets calls in flight end and disposes of every revision. */
  close(): Promise<void>
}

const maxDownloads = 8

export function createSynchronizer(options: SynchronizerOptions): Synchronizer {
  const { clock, environment, groups, root, minVersion, onEvent } = options
  const closing = new AbortController()
  const ready = Promise.withResolvers<void>()
  const startedAt = clock.now()
  const moments: SyncMoments = { request: null, success: null, download: null, activation: null }
  let state: RuntimeStatus['state'] = 'starting'
  /** What was activated last, and what was accepted last: they differ until the next activation. */
  let active: DesiredState | null = null
  let wanted: DesiredState | null = null
  let refusal: Alarm | null = null
  let diskFault: Alarm | null = null
  let isFrozen = false
  let warming: Promise<void> = Promise.resolve()
  let holdBackUntil = 0

  const cache = createDiskCache({
    environment,
    remote: options.store,
    disk: options.disk,
    onFault: (fault) => {
      onEvent({ type: 'cacheUnusable', message: fault.message })
      options.onChange()
    },
  })
  const manifests = createManifestPoll({
    store: cache.store,
    environment,
    groups,
    root,
    clock,
    minVersion,
    highestSeen: () => cache.state.highestSeen,
    onSeen: (highestSeen) => cache.update({ highestSeen }),
  })
  let bootReader: VerifiedReader | null = null
  const reader = (): VerifiedReader => bootReader ?? manifests.reader

  const failures = createFailureMemory({
    retryBaseMs: options.pollIntervalMs,
    random: options.random,
  })
  const pool = createRevisionPool({
    drainTimeoutMs: options.drainTimeoutMs,
    maxDownloads,
    onDrainTimeout: ({ id, inFlight }) =>
      onEvent({ type: 'drainTimedOut', revision: id, inFlight }),
    fetch: async (name, ref, signal) => {
      const from = reader()
      const { document: release } = await from.release(ref, name, { signal })
      const artifact = await from.artifact(release, { signal })
      const sourceMap = () => manifests.reader.sourceMap(release, { signal: closing.signal })
      return () => options.load({ ref, release, artifact, sourceMap })
    },
  })
  const activator = createActivator({
    pool,
    failures,
    clock,
    warmPrevious: options.warmPrevious,
    lastGood: () => new Map(Object.entries(cache.state.lastGood)),
    readRelease: async (name, ref, signal) =>
      (await reader().release(ref, name, { signal })).document,
    onRefused: (name, { side, code, message }) =>
      onEvent({ type: 'functionRefused', function: name, side, code, message }),
    onSwap: () => {
      moments.activation = clock.now()
    },
  })

  const activate = async (desired: DesiredState, signal: AbortSignal): Promise<void> => {
    const before = new Map(activator.serving.slots)
    await activator.activate(desired, signal)
    const isNew = active?.digest !== desired.digest
    active = desired
    moments.activation = clock.now()
    if (state !== 'ready') {
      state = 'ready'
      ready.resolve()
    }
    const { slots } = activator.serving
    const changed = [...new Set([...before.keys(), ...slots.keys()])].filter(
      (name) => before.get(name) !== slots.get(name),
    )
    if (isNew || changed.length > 0) {
      const { epoch, version } = desired.manifest
      onEvent({ type: 'activated', epoch, version, changed })
    }
  }

  /** Leaves a mark on disk for as long as it runs, for a process that does not survive it. */
  const activateMarked = async (desired: DesiredState, signal: AbortSignal): Promise<void> => {
    const { digest } = desired
    const { unfinished, lastGood } = cache.state
    const attempts = unfinished?.digest === digest ? unfinished.attempts + 1 : 1
    await cache.update({ unfinished: { digest, attempts } })
    try {
      await activate(desired, signal)
    } catch (error) {
      // Closing in the middle is no crash.
      await cache.update({ unfinished: null })
      throw error
    }
    const serving = Object.fromEntries(
      [...activator.serving.slots.values()].flatMap(({ function: name, stable }) => {
        const ref = stable?.ref ?? lastGood[name]
        return ref === undefined ? [] : [[name, ref] as const]
      }),
    )
    await cache.commit(desired.bytes, objectKeysOf(desired, Object.values(serving)))
    await cache.update({ unfinished: null, lastGood: serving })
    warming = activator.warm(desired, closing.signal)
  }

  const noteExpiry = (): void => {
    const current = wanted ?? active
    const wasFrozen = isFrozen
    isFrozen =
      (current !== null && isExpired(current.manifest, clock.now())) ||
      refusal?.code === 'MANIFEST_EXPIRED'
    if (isFrozen && !wasFrozen) {
      onEvent({ type: 'frozen', message: refusal?.message ?? expiredMessage(current) })
    }
    if (!isFrozen && wasFrozen && current !== null) {
      onEvent({ type: 'unfrozen', version: current.manifest.version })
    }
  }

  const noteRefusal = (error: unknown): void => {
    const { code, message } = toRuntimeError(error)
    const isSame = refusal?.code === code && refusal.message === message
    if (isSame) return
    refusal = { code, message, since: now() }
    onEvent({ type: 'refused', code, message })
    if (code === 'MANIFEST_FORKED') onEvent({ type: 'forked', message })
  }

  const poll = async (signal: AbortSignal): Promise<'ok' | 'failed'> => {
    let outcome: 'ok' | 'failed' = 'ok'
    const before = statusKey()
    moments.request = clock.now()
    try {
      const result = await manifests.poll(signal)
      moments.success = clock.now()
      if (result.status === 'accepted') {
        moments.download = clock.now()
        wanted = result.desired
      }
      refusal = null
    } catch (error) {
      if (signal.aborted) return 'failed'
      noteRefusal(error)
      outcome = 'failed'
    }
    noteExpiry()
    await moveOn(signal)
    if (statusKey() !== before) options.onChange()
    return outcome
  }

  const moveOn = async (signal: AbortSignal): Promise<void> => {
    const target = wanted ?? active
    if (target === null || isExpired(target.manifest, clock.now())) return
    const isHeldBack =
      target.digest === cache.state.unfinished?.digest && clock.now() < holdBackUntil
    const isDue = target.digest !== active?.digest || failures.isDue(clock.now())
    if (!isDue || isHeldBack) return
    try {
      await activateMarked(target, signal)
    } catch (error) {
      if (!signal.aborted) noteRefusal(error)
    }
  }

  const boot = async (disk: ArtifactStore): Promise<void> => {
    try {
      const found = await bootFromDisk({ disk, environment, groups, root, minVersion })
      if (found === null) return
      bootReader = found.reader
      const { unfinished } = cache.state
      if (unfinished !== null && unfinished.digest !== found.desired.digest) {
        // It may be what ended the process before: serve first, then try it again, ever later.
        const delayMs = options.pollIntervalMs * 2 ** Math.min(unfinished.attempts - 1, 20)
        holdBackUntil = clock.now() + Math.min(delayMs, maxBackoffMs * 10)
      }
      await activate(found.desired, closing.signal)
    } catch (error) {
      if (closing.signal.aborted) return
      const { code, message } = toRuntimeError(error)
      diskFault = { code, message: `The cache was not used: ${message}`, since: now() }
      onEvent({ type: 'refused', code, message: diskFault.message })
    } finally {
      bootReader = null
      noteExpiry()
    }
  }

  const loop = createPollLoop({
    intervalMs: options.pollIntervalMs,
    clock,
    random: options.random,
    poll,
  })
  const now = (): string => new Date(clock.now()).toISOString()
  const statusKey = (): string =>
    JSON.stringify([
      active?.digest,
      refusal?.code,
      isFrozen,
      [...activator.refusals.keys()],
      moments.activation,
    ])

  return {
    get serving() {
      return activator.serving
    },
    get isReady() {
      return state === 'ready'
    },
    ready: () => ready.promise,
    start: async () => {
      const deadline = new AbortController()
      const overdue = clock.sleep(
        options.bootDeadlineMs,
        AbortSignal.any([deadline.signal, closing.signal]),
      )
      await cache.open()
      if (options.disk !== null) await boot(options.disk)
      loop.start()
      await Promise.race([ready.promise, overdue])
      deadline.abort()
      if (state === 'starting') state = 'notReady'
      options.onChange()
    },
    refresh: () => loop.refresh(),
    status: () =>
      toStatus({
        state,
        environment,
        instance: options.instance,
        store: options.store.location,
        groups,
        isFrozen,
        startedAt,
        moments,
        active,
        serving: activator.serving,
        refusals: activator.refusals,
        refusal,
        alarms: [
          ...(diskFault === null ? [] : [diskFault]),
          ...(cache.fault === null
            ? []
            : [{ code: cache.fault.code, message: cache.fault.message, since: now() }]),
        ],
      }),
    releaseOf: (revisionId) => {
      for (const { stable, canary } of activator.serving.slots.values()) {
        for (const side of [stable, canary]) {
          if (side?.revision?.id === revisionId) return side.ref.release
        }
      }
      return null
    },
    close: async () => {
      closing.abort(new Error('The runtime is closing'))
      await loop.close()
      await warming
      await pool.close()
    },
  }
}

function expiredMessage(state: DesiredState | null): string {
  return `The manifest expired at ${state?.manifest.expiresAt}; nothing changes until a newer one is published. Run "needle refresh".`
}

function toRuntimeError(error: unknown): RuntimeError {
  if (isRuntimeError(error)) return error
  return new RuntimeError(
    'STORE_UNAVAILABLE',
    error instanceof Error ? error.message : String(error),
    { cause: error },
  )
}
