import { isRuntimeError, RuntimeError } from '../errors.ts'
import type { Clock } from '../clock.ts'
import type { Revision } from '../function/revision.ts'
import { isAbove, isExpired } from '../manifest/acceptance.ts'
import type { Digest } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import { findQuarantined } from '../manifest/quarantine.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import type { CallMetrics } from '../metrics/call-metrics.ts'
import { pause } from '../pause.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import type { Rollouts } from './rollouts.ts'
import type { FailingStables } from './failing-stables.ts'
import { createActivator } from './activator.ts'
import { bootFromDisk, trustChainOnDisk } from './boot-from-disk.ts'
import { type DesiredState, refsOf } from './desired-state.ts'
import { createCacheFaults } from './cache-faults.ts'
import { toCrashFailure, uncleanEndMessage } from './crash-failure.ts'
import { createCrashMemory } from './crash-memory.ts'
import { createDiskCache } from './disk-cache.ts'
import { createFailureMemory } from './failure-memory.ts'
import { createLastingActivation } from './lasting-activation.ts'
import type { LazyRevision } from './lazy-revision.ts'
import { createManifestPoll } from './manifest-poll.ts'
import { createPollLoop } from './poll-loop.ts'
import { isAtWork } from './readiness.ts'
import { createRevisionSupply, type LoadRequest } from './revision-supply.ts'
import type { ServingCell } from './serving.ts'
import type {
  OverloadStatus,
  ProbeStatus,
  RuntimeEvent,
  RuntimeStatus,
  WatchdogStatus,
} from './status.ts'
import type { StableGuards } from './stable-guards.ts'
import { createSyncAlarms, toRuntimeError } from './sync-alarms.ts'
import { type SyncMoments, toStatus } from './to-status.ts'
import { createUpkeep, type Upkeep } from './upkeep.ts'

export interface SynchronizerOptions {
  /** What it keeps up to date. */
  readonly serving: ServingCell
  readonly store: ArtifactStore
  /** A store over the cache directory; null without one. */
  readonly disk: ArtifactStore | null
  /** File, on a local disk, that tells the next process what this one was at when it died; null for none. */
  readonly crashFile: string | null
  readonly environment: string
  readonly instance: string
  readonly groups: readonly string[]
  readonly root: TrustRoot
  readonly pollIntervalMs: number
  readonly bootDeadlineMs: number
  readonly drainTimeoutMs: number
  readonly minVersion?: number | undefined
  readonly warmPrevious: number
  readonly loadAhead: number
  readonly evictAfterMs: number
  readonly clock: Clock
  readonly random: () => number
  readonly watchdog: () => WatchdogStatus
  readonly overload: () => OverloadStatus
  readonly rollouts: Pick<Rollouts, 'isTripped' | 'reportOf'>
  readonly stableGuards: StableGuards
  readonly failingStables: FailingStables
  readonly metricsOf: (functionName: string, revision: string) => CallMetrics | null
  readonly probeOf: (functionName: string) => ProbeStatus | null
  readonly load: (request: LoadRequest) => Promise<Revision>
  readonly onEvent: (event: RuntimeEvent) => void
  /** Before every poll. Must not throw. */
  readonly onPoll: () => void
  /** Something the status shows has changed. */
  readonly onChange: () => void
}

/** Keeps what serves here equal to what the environment's manifest says. */
export interface Synchronizer {
  readonly isReady: boolean
  /** Resolves once it is ready, or when the boot deadline is over; polls go on either way. */
  start(): Promise<void>
  /** Resolves when a function serves or none is to. Rejects with `RUNTIME_CLOSED` when closed before. */
  ready(): Promise<void>
  /** Resolves after a poll, and what follows from it, that began after this call and after the boot from disk. */
  refresh(): Promise<void>
  status(): RuntimeStatus
  /** The releases that serve, by the id of their revision. */
  releases(): ReadonlyMap<string, Digest>
  /** Takes a runaway revision out of service, now and at every activation to come. */
  expel(revision: Revision): void
  /** Takes the canary of a function out of service, for as long as its rollout is called tripped. */
  withdrawCanary(functionName: string): void
  /** Lets this release serve as stable at once, for as long as the desired one is called tripped. */
  replaceStable(functionName: string, successor: ReleaseRef): void
  /** The revision of this release; null when it is not registered. */
  revisionOf(release: Digest): LazyRevision | null
  /** As `expel`, for one that did not load when it was called; resolves when another serves, if one does. */
  reject(revision: LazyRevision, error: unknown): Promise<void>
  /** Stops polling, lets calls in flight end and disposes of every revision. */
  close(): Promise<void>
}

export function createSynchronizer(options: SynchronizerOptions): Synchronizer {
  const { serving, clock, environment, groups, root, minVersion, onEvent } = options
  const { stableGuards, failingStables } = options
  const closing = new AbortController()
  const ready = Promise.withResolvers<void>()
  // Nobody has to wait for it.
  const settled = ready.promise.catch(() => undefined)
  const booted = Promise.withResolvers<void>()
  const startedAt = clock.now()
  const moments: SyncMoments = { request: null, success: null, download: null, activation: null }
  let state: RuntimeStatus['state'] = 'starting'
  /** What was activated last, and what was accepted last: they differ until the next activation. */
  let active: DesiredState | null = null
  let wanted: DesiredState | null = null
  /** What serves is not all that could. */
  let hasExpelled = false
  let upkeep: Upkeep | null = null

  const alarms = createSyncAlarms({ clock, onEvent })
  const faults = createCacheFaults({
    clock,
    onFault: ({ message }) => {
      onEvent({ type: 'cacheUnusable', message })
      options.onChange()
    },
  })
  const { disk, crashFile } = options
  const cache = createDiskCache({ environment, remote: options.store, disk, faults })
  const crashes = createCrashMemory({
    file: crashFile,
    clock,
    faults,
    onForgotten: (message) => onEvent({ type: 'cacheUnusable', message }),
  })
  const manifests = createManifestPoll({
    store: cache.store,
    environment,
    groups,
    root,
    clock,
    minVersion,
    highestSeen: () => cache.state.highestSeen,
    known: () => wanted ?? active,
    isServing: () => active !== null,
    onTrustRoot: ({ document, bytes }) => cache.keep(objectKey.trustRoot(document.version), bytes),
    // It comes to disk with the mark of the activation, before that begins.
    onSeen: (highestSeen) => cache.note({ highestSeen }),
  })
  const failures = createFailureMemory({
    retryBaseMs: options.pollIntervalMs,
    random: options.random,
  })
  const supply = createRevisionSupply({
    cache,
    crashes,
    reader: () => manifests.reader,
    clock,
    drainTimeoutMs: options.drainTimeoutMs,
    onDrainTimeout: ({ id, inFlight }) =>
      onEvent({ type: 'drainTimedOut', revision: id, inFlight }),
    load: options.load,
    closing: closing.signal,
  })
  const activator = createActivator({
    serving,
    pool: supply.pool,
    failures,
    clock,
    warmPrevious: options.warmPrevious,
    isTripped: options.rollouts.isTripped,
    isStableTripped: (name, state) => stableGuards.isTripped(name, state),
    lastGood: () => new Map(Object.entries(cache.state.lastGood)),
    onRefused: (name, { side, code, message }) =>
      onEvent({ type: 'functionRefused', function: name, side, code, message }),
    onSwap: () => {
      moments.activation = clock.now()
    },
  })

  /** Functions whose desired release is another than the one that served here before a restart. */
  const unproven = async (desired: DesiredState): Promise<ReadonlySet<string>> => {
    const names = new Set<string>()
    for (const [name, { release }] of Object.entries(cache.state.lastGood)) {
      await pause()
      if (desired.functions.get(name)?.stable.release !== release) names.add(name)
    }
    return names
  }

  /** Not in the middle of a first activation: most functions would answer 404. */
  const lookWhetherReady = (): void => {
    if (state === 'ready' || active === null || !isAtWork(serving.current, active)) return
    state = 'ready'
    ready.resolve()
  }

  const activate = async (
    desired: DesiredState,
    how: { readonly eager: ReadonlySet<string>; readonly signal: AbortSignal },
  ): Promise<void> => {
    const before = serving.current.slots
    await activator.activate(desired, how)
    // What is expelled or withdrawn from here on is told by itself.
    const after = serving.current.slots
    await pause()
    const isNew = active?.digest !== desired.digest
    active = desired
    await stableGuards.follow(desired)
    await pause()
    moments.activation = clock.now()
    alarms.checkGroups(desired)
    lookWhetherReady()
    await pause()
    const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
      (name) => before.get(name) !== after.get(name),
    )
    if (isNew || changed.length > 0) {
      const { epoch, version } = desired.manifest
      onEvent({ type: 'activated', epoch, version, changed })
    }
  }

  const lasting = createLastingActivation({
    cache,
    clock,
    groups,
    retryBaseMs: options.pollIntervalMs,
    activate: (desired, signal) =>
      activate(desired, { eager: upkeep?.eagerOf(desired) ?? new Set(), signal }),
    serving: () => serving.current,
  })
  /** What failed is replaced and told of like what was refused at its activation. */
  const reject = async (revision: LazyRevision, error: unknown): Promise<void> => {
    // Replaced before it was loaded: nobody's failure.
    if (isRuntimeError(error) && error.code === 'RUNTIME_CLOSED') return
    const proven = provenReleases(revision)
    await activator.reject(revision, error, { proven, signal: closing.signal })
    activateAgain()
  }
  const rejections = new WeakMap<LazyRevision, Promise<void>>()
  const rejectOnce = (revision: LazyRevision, error: unknown): Promise<void> => {
    const rejection = rejections.get(revision) ?? reject(revision, error).catch(() => undefined)
    rejections.set(revision, rejection)
    return rejection
  }

  const moveOn = async (signal: AbortSignal): Promise<void> => {
    const target = wanted ?? active
    if (target === null) return
    const heldBack = lasting.heldBack(target)
    alarms.checkHoldBack(target, heldBack)
    if (heldBack !== null) return
    const isChange = target.digest !== active?.digest
    if (!isChange && !hasExpelled && !failures.isDue(clock.now())) return
    // Expired, it may complete what serves, and serve where nothing does, but change nothing.
    if (isChange && active !== null && isExpired(target.manifest, clock.now())) return
    hasExpelled = false
    try {
      await upkeep?.stop()
      await lasting.run(target, signal)
      await pause()
      const refs = [...(await refsOf(target)), ...Object.values(cache.state.lastGood)]
      await pause()
      await supply.keepOnly(refs)
      if (faults.current === null) alarms.bootMended()
      upkeep?.restart(target)
    } catch (error) {
      if (!signal.aborted) alarms.refused(error)
    }
  }

  const poll = async (signal: AbortSignal): Promise<'ok' | 'failed'> => {
    let outcome: 'ok' | 'failed' = 'ok'
    const before = statusKey()
    options.onPoll()
    moments.request = clock.now()
    try {
      const result = await manifests.poll(signal)
      moments.success = clock.now()
      if (result.status === 'accepted') {
        moments.download = clock.now()
        wanted = result.desired
      }
      alarms.accepted()
    } catch (error) {
      if (signal.aborted) return 'failed'
      alarms.refused(error)
      // A store that answers is asked at the usual pace: what was refused is mended by the next publish.
      if (toRuntimeError(error).code.startsWith('STORE_')) outcome = 'failed'
    }
    alarms.checkExpiry(wanted ?? active)
    await moveOn(signal)
    await cache.flush()
    if (active !== null) {
      await pause()
      await stableGuards.follow(active)
      await failingStables.look(serving.current, active)
    }
    await upkeep?.sweep()
    if (statusKey() !== before) options.onChange()
    return outcome
  }

  const boot = async (): Promise<void> => {
    try {
      const disk = await cache.bootStore()
      if (disk === null) return
      const chain = await trustChainOnDisk(disk, root)
      manifests.believe(chain.at(-1) ?? root)
      const found = await bootFromDisk({ disk, environment, groups, chain, minVersion })
      if (found === null) return
      const { desired, reader } = found
      const { highestSeen } = cache.state
      if (highestSeen === null || isAbove(desired.manifest, highestSeen)) {
        // The record of it was lost or damaged.
        const { epoch, version } = desired.manifest
        await cache.update({ highestSeen: { epoch, version, digest: desired.digest } })
      }
      lasting.resume(desired)
      // What served before a restart is loaded when it is called, or right after.
      const how = { eager: await unproven(desired), signal: closing.signal }
      await supply.duringBoot(reader, () => activate(desired, how))
    } catch (error) {
      if (!closing.signal.aborted) alarms.bootFailed(error)
    } finally {
      alarms.checkExpiry(active)
    }
  }

  const takeNoteOfCrashes = async (): Promise<void> => {
    const { condemned, watchedUntil } = await crashes.start()
    const now = clock.now()
    for (const [release, suspect] of condemned) {
      const { function: name, error, retryAt } = toCrashFailure(suspect, crashFile)
      failures.record({ function: name, release, error, now, retryAt })
    }
    if (watchedUntil !== null) {
      onEvent({ type: 'uncleanEnd', message: uncleanEndMessage(watchedUntil) })
    }
  }

  const begin = async (): Promise<void> => {
    // Starting the watchdog's thread has taken a turn.
    await pause()
    await cache.open()
    await takeNoteOfCrashes()
    upkeep = createUpkeep({
      serving,
      activator,
      supply,
      cache,
      clock,
      random: options.random,
      loadAhead: options.loadAhead,
      evictAfterMs: options.evictAfterMs,
      onLoadFailed: rejectOnce,
    })
    await boot()
    if (active !== null) upkeep.restart(active)
    booted.resolve()
    loop.start()
  }
  let begun: Promise<void> = Promise.resolve()

  const loop = createPollLoop({
    intervalMs: options.pollIntervalMs,
    clock,
    random: options.random,
    poll,
  })
  /** What may take over from this revision, best first. */
  const provenReleases = ({ release }: Pick<Revision, 'release'>): readonly ReleaseRef[] => {
    const state = active?.functions.get(release.function)
    const lastGood = cache.state.lastGood[release.function]
    const proven = [
      ...(state === undefined ? [] : [state.stable]),
      ...(lastGood === undefined ? [] : [lastGood]),
      ...(state?.previous ?? []),
    ]
    const quarantine = active?.quarantine ?? []
    return proven.filter((ref) => findQuarantined(quarantine, release.function, ref) === undefined)
  }
  const activateAgain = (): void => {
    hasExpelled = true
    lookWhetherReady()
    options.onChange()
    if (!closing.signal.aborted) void booted.promise.then(() => loop.refresh())
  }
  const statusKey = (): string =>
    JSON.stringify([
      state,
      active?.digest,
      alarms.refusal?.code,
      alarms.isFrozen,
      alarms.holdBack?.message,
      [...activator.refusals.keys()],
      failingStables.alarms.length,
      moments.activation,
    ])

  return {
    get isReady() {
      return state === 'ready'
    },
    ready: () => ready.promise,
    start: async () => {
      const inTime = new AbortController()
      const overdue = clock.sleep(
        options.bootDeadlineMs,
        AbortSignal.any([inTime.signal, closing.signal]),
      )
      begun = begin()
      await Promise.race([Promise.all([begun, settled]), overdue])
      inTime.abort()
      if (state === 'starting') state = 'notReady'
      options.onChange()
    },
    refresh: async () => {
      await booted.promise
      await loop.refresh()
    },
    status: () =>
      toStatus({
        state,
        environment,
        instance: options.instance,
        store: options.store.location,
        groups,
        isFrozen: alarms.isFrozen,
        startedAt,
        moments,
        active,
        serving: serving.current,
        refusals: activator.refusals,
        watchdog: options.watchdog(),
        overload: options.overload(),
        rolloutOf: options.rollouts.reportOf,
        metricsOf: options.metricsOf,
        probeOf: options.probeOf,
        stableTripOf: (name, state) => stableGuards.tripOf(name, state),
        stableFailureOf: (name, stable) => failingStables.failureOf(name, stable),
        refusal: alarms.refusal,
        alarms: [
          alarms.expiry,
          ...alarms.missingGroups,
          alarms.bootFault,
          alarms.holdBack,
          faults.current,
          ...failingStables.alarms,
        ].filter((alarm) => alarm !== null),
      }),
    releases: () => {
      const releases = new Map<string, Digest>()
      for (const { stable, canary } of serving.current.slots.values()) {
        for (const side of [stable, canary]) {
          if (side !== null) releases.set(side.revision.id, side.ref.release)
        }
      }
      return releases
    },
    expel: (revision) => {
      activator.expel(revision, provenReleases(revision))
      activateAgain()
    },
    withdrawCanary: (name) => {
      activator.withdrawCanary(name)
      activateAgain()
    },
    replaceStable: (name, successor) => {
      activator.replaceStable(name, successor)
      activateAgain()
    },
    revisionOf: (release) => supply.pool.get(release) ?? null,
    reject: rejectOnce,
    close: async () => {
      closing.abort(new RuntimeError('RUNTIME_CLOSED', 'The runtime is closing'))
      ready.reject(closed())
      await begun
      booted.resolve()
      await loop.close()
      await upkeep?.stop()
      await supply.close()
      crashes.close()
      await cache.close()
    },
  }
}

/** What those get who wait for a runtime that was closed before anything served. */
export function closed(): RuntimeError {
  return new RuntimeError('RUNTIME_CLOSED', 'The runtime was closed before anything served')
}
