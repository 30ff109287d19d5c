import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { createCanaryProbes } from './canary-probes.ts'
import { guardAgainstCrashes } from './crash-guard.ts'
import { createDispatcher, type Dispatcher } from './dispatcher.ts'
import { RuntimeError } from './errors.ts'
import { createWarningReporter } from './function-warnings.ts'
import { createBulkheads } from './function/bulkheads.ts'
import type { Call, Outcome } from './function/call.ts'
import { createDeadlineWheel } from './function/deadline-wheel.ts'
import { loadRevision } from './function/load-revision.ts'
import { functionOf, toRevisionId } from './function/revision.ts'
import { createJsonLog } from './json-log.ts'
import { callFamilies } from './metrics/call-families.ts'
import { createMetricsRegistry } from './metrics/metrics-registry.ts'
import { createOpenTelemetryMetrics } from './metrics/open-telemetry-metrics.ts'
import { toPrometheusText } from './metrics/prometheus-text.ts'
import type { TrustRoot } from './manifest/trust-root.ts'
import { pause } from './pause.ts'
import { verifyTrustRoot } from './manifest/verify.ts'
import { type OverloadGuard, startOverloadGuard } from './overload/overload-guard.ts'
import { createFailingStables } from './sync/failing-stables.ts'
import { createRollouts } from './sync/rollouts.ts'
import { createStableGuards } from './sync/stable-guards.ts'
import { createRunaways } from './runaways.ts'
import { parseRuntimeOptions, type RuntimeOptions } from './runtime-options.ts'
import { createStickyKey } from './sticky-key.ts'
import { createStrayFailureReporter } from './stray-failures.ts'
import { createStrayFaults } from './stray-faults.ts'
import type { ArtifactStore } from './store/artifact-store.ts'
import { createFileStore } from './store/file.ts'
import { openStore } from './store/open-store.ts'
import { createInstanceReporter, type InstanceReporter } from './sync/instance-reporter.ts'
import { logEvent } from './sync/log-event.ts'
import { emptyServing, type ServingCell } from './sync/serving.ts'
import type { RuntimeEvent, RuntimeStatus, WatchdogStatus } from './sync/status.ts'
import { closed, createSynchronizer, type Synchronizer } from './sync/synchronizer.ts'
import { statusFamilies } from './sync/status-families.ts'
import { limitStoreTime } from './sync/time-limited-store.ts'
import { toInstanceReport } from './sync/to-instance-report.ts'
import { startWatchdog, type Watchdog } from './watchdog/watchdog.ts'
import type { RunawayMessage } from './watchdog/watchdog-message.ts'

/** A request as a host hands it over, before its route is known. */
export type IncomingCall = Omit<Call, 'params' | 'query'> & {
  /** Path and query below the host's prefix. Default `url`. */
  readonly path?: string | undefined
}

/** Functions in a running process: kept as the environment's manifest says, called by a host. */
export interface Runtime {
  /**
   * Serves what is on disk, begins to poll, and resolves when it is ready or the boot deadline is
   * over. A store that is away is no error.
   *
   * @throws RuntimeError `OPTIONS_INVALID`, `DOCUMENT_*` or `SIGN*` when store url or trust root
   *   cannot be used; `RUNTIME_CLOSED` after `close`, which is for good.
   */
  start(): Promise<void>
  /** Stops polling, lets calls in flight end and disposes of every revision. Idempotent. */
  close(): Promise<void>
  /** Answers one request. Never rejects. */
  handle(call: IncomingCall): Promise<Outcome>
  /** The steps of `handle`, for hosts that read the body in between. */
  readonly dispatcher: Dispatcher
  status(): RuntimeStatus
  /**
   * Calls per revision (count, faults, errors by code, durations) and the state of this instance in
   * Prometheus' text format, `prometheusContentType`. The same goes to the meter provider the host
   * has registered with the OpenTelemetry API, if it has.
   */
  metrics(): string
  /**
   * Resolves when a function serves or is stopped on purpose, or none is wanted in groups the
   * manifest knows.
   *
   * @throws RuntimeError `RUNTIME_CLOSED` when it is closed before; what `start` throws
   */
  ready(): Promise<void>
  /** Polls now; resolves when what follows from it is done. */
  refresh(): Promise<void>
}

const nobody: ReadonlySet<string> = new Set()

/** How long one read or write of store or disk may take. */
const storeTimeoutMs = 10_000

/**
 * A runtime that is not started yet.
 *
 * @throws RuntimeError `OPTIONS_INVALID` with every problem of the options.
 */
export function createRuntime(given: RuntimeOptions): Runtime {
  const options = parseRuntimeOptions(given)
  const { clock, source, instance, services } = options
  const { probationCalls } = options
  // Before the watchdog, which may drop what waits for its turn: the guard harms nobody.
  const guardMs = options.watchdog === false ? null : Math.round(options.watchdog.limitMs * 0.8)
  const log = options.log ?? createJsonLog()
  const wheel = createDeadlineWheel()
  const registry = createMetricsRegistry()
  const bulkheads = createBulkheads()
  const stopGuarding: (() => void)[] = []
  const begun = Promise.withResolvers<Synchronizer>()
  // Whoever waits for it learns of a failed start; nobody has to.
  begun.promise.catch(() => undefined)
  const serving: ServingCell = { current: emptyServing }
  let synchronizer: Synchronizer | null = null
  let reporter: InstanceReporter | null = null
  let ownStore: ArtifactStore | null = null
  let starting: Promise<void> | null = null
  let closing: Promise<void> | null = null
  let watchdog: Watchdog | null = null
  let overload: OverloadGuard | null = null
  const emit = (event: RuntimeEvent): void => {
    logEvent(log, event, serving.current)
    try {
      options.onEvent?.(event)
    } catch (error) {
      // Whoever listens must not stop what it listens to.
      log.error('The onEvent option threw', { event: event.type, error: String(error) })
    }
  }

  const runaways = createRunaways({
    now: () => clock.now(),
    expel: (revision) => synchronizer?.expel(revision),
    onEvent: emit,
  })

  const onRunaway = ({ outcome, stalledMs, ...told }: RunawayMessage): void => {
    if (outcome === 'spared' && synchronizer?.releases().has(told.revision) === true) {
      const { revision, requestId } = told
      emit({ type: 'runaway', revision, requestId, stalledMs, stopped: false })
    }
    runaways.tell(stalledMs)
  }

  const watchdogStatus = (): WatchdogStatus => ({
    ...(watchdog?.status ?? { mode: 'off', reason: 'switched off' }),
    limitMs: options.watchdog === false ? null : options.watchdog.limitMs,
    ...runaways.status,
  })

  const rollouts = createRollouts({
    now: () => clock.now(),
    onTrip: (name, { ref }, trip) => {
      synchronizer?.withdrawCanary(name)
      const revision = toRevisionId(name, ref.release)
      emit({ type: 'canaryTripped', function: name, revision, trip })
    },
  })

  const stableGuards = createStableGuards({
    now: () => clock.now(),
    revisionOf: (release) => synchronizer?.revisionOf(release) ?? null,
    metricsOf: (name, revision) => registry.find(name, revision),
    onTrip: (name, { stable, successor, told }) => {
      synchronizer?.replaceStable(name, successor)
      const revision = toRevisionId(name, stable.release)
      emit({ type: 'stableTripped', function: name, revision, trip: told })
    },
  })
  const failingStables = createFailingStables({
    now: () => clock.now(),
    metricsOf: (name, revision) => registry.find(name, revision),
    onFailing: (name, revision, failure) =>
      emit({ type: 'stableFailing', function: name, revision, failure }),
  })

  const openTelemetry = createOpenTelemetryMetrics({
    registry,
    statusFamilies: () => statusFamilies(status()),
    identity: { 'needle.environment': source.environment, 'faas.instance': instance },
  })
  const lookForSdk = (): void => {
    try {
      openTelemetry.look()
    } catch (error) {
      // What a host registers must not stop what serves.
      log.warn('The OpenTelemetry meter provider cannot be used', { error: String(error) })
    }
  }

  const dispatcher = createDispatcher({
    rollouts,
    stableGuards,
    serving,
    isReady: () => synchronizer?.isReady === true,
    clock,
    shed: () => overload?.shed ?? nobody,
    onTurnedAway: (name, code) => registry.turnAway(name, code),
    onColdStart: (revision) => {
      const metrics = registry.find(revision.release.function, revision.id)
      if (metrics !== null) metrics.coldStarts += 1
    },
    onRunawayMet: () => runaways.settle(),
    onLoadFailed: async (revision, error) => synchronizer?.reject(revision, error),
    stickyKey: createStickyKey({ ofHost: options.stickyKey, log }),
  })

  const probes =
    options.probeIntervalMs === false
      ? null
      : createCanaryProbes({
          serving,
          rollouts,
          clock,
          random: Math.random,
          intervalMs: options.probeIntervalMs,
          isOverloaded: () => overload?.isStrained === true,
          onFailure: (name, error) =>
            log.warn('A probe could not be made', { function: name, error: String(error) }),
        })

  const begin = async (): Promise<Synchronizer> => {
    const root = await readTrustRoot(options.trust)
    const store =
      typeof source.store === 'string' ? (ownStore = await openStore(source.store)) : source.store
    const directory =
      source.cacheDirectory === undefined
        ? null
        : path.join(source.cacheDirectory, source.environment)
    const limits = { clock, timeoutMs: storeTimeoutMs }
    return createSynchronizer({
      serving,
      store: limitStoreTime(store, limits),
      disk:
        directory === null
          ? null
          : limitStoreTime(createFileStore(directory, { conditionalReplace: false }), limits),
      crashFile: directory === null ? null : path.join(directory, 'crashes.json'),
      environment: source.environment,
      instance,
      groups: options.groups,
      root,
      pollIntervalMs: source.pollIntervalMs,
      bootDeadlineMs: source.bootDeadlineMs,
      minVersion: source.minVersion,
      drainTimeoutMs: options.drainTimeoutMs,
      warmPrevious: options.warmPrevious,
      loadAhead: options.loadAhead,
      evictAfterMs: options.evictAfterMs,
      clock,
      random: Math.random,
      load: ({ ref, release, artifact, compiled, sourceMap, probation }) => {
        // What it takes is measured, too.
        lookForSdk()
        return loadRevision({
          release,
          releaseDigest: ref.release,
          artifact,
          compiled,
          sourceMap,
          services,
          log,
          clock,
          wheel,
          registry,
          bulkhead: bulkheads.of(release.function),
          prefix: options.prefix,
          // Nobody else is answered meanwhile, either.
          loadTimeoutMs: options.watchdog === false ? undefined : options.watchdog.limitMs,
          onRunaway: (revision, requestId) => runaways.note(revision, requestId),
          probation: probation && {
            calls: probation.isProven ? 0 : probationCalls,
            guardMs,
            record: probation,
          },
          onOverrun: (revision, requestId) => {
            runaways.note(revision, requestId)
            runaways.tell(guardMs ?? 0)
          },
        })
      },
      watchdog: watchdogStatus,
      rollouts,
      stableGuards,
      failingStables,
      metricsOf: (name, revision) => registry.find(name, revision),
      probeOf: (name) => probes?.lastOf(name) ?? null,
      overload: () => ({
        delayMs: overload?.delayMs ?? null,
        limitMs: options.maxLoopDelayMs === false ? null : options.maxLoopDelayMs,
        shed: [...(overload?.shed ?? nobody)],
      }),
      onEvent: emit,
      onPoll: lookForSdk,
      onChange: () => reporter?.changed(),
    })
  }

  const start = async (): Promise<void> => {
    try {
      synchronizer = await begin()
      // The watchdog's thread is started in a turn of its own.
      await pause()
    } catch (error) {
      begun.reject(error)
      throw error
    }
    const sync = synchronizer
    begun.resolve(sync)
    if (closing !== null) return
    if (options.watchdog !== false) {
      watchdog = startWatchdog({ limitMs: options.watchdog.limitMs, onRunaway })
    }
    if (options.maxLoopDelayMs !== false) {
      overload = startOverloadGuard({
        maxLoopDelayMs: options.maxLoopDelayMs,
        registry,
        onChange: ({ kind, ...change }) => emit({ type: kind, ...change }),
      })
    }
    const reportStray = createStrayFailureReporter({ clock, emit })
    const countStray = createStrayFaults({ clock, registry, serving, rollouts, stableGuards })
    stopGuarding.push(
      guardAgainstCrashes({
        knows: (revision) => registry.find(functionOf(revision), revision) !== null,
        take: (charged, error) => {
          reportStray(charged, error)
          countStray(charged)
        },
        warn: createWarningReporter({ clock, log }),
      }),
    )
    if (options.report) {
      const store = typeof source.store === 'string' ? ownStore : source.store
      if (store !== null) {
        reporter = startReporter(limitStoreTime(store, { clock, timeoutMs: storeTimeoutMs }), sync)
      }
    }
    probes?.start()
    await sync.start()
  }

  const startReporter = (store: ArtifactStore, sync: Synchronizer): InstanceReporter => {
    // What `startedAt` is by the wall clock.
    const startedMs = performance.now()
    const started = createInstanceReporter({
      store,
      clock,
      read: () =>
        toInstanceReport(sync.status(), {
          reportedAt: new Date(clock.now()).toISOString(),
          uptimeMs: performance.now() - startedMs,
          releases: sync.releases(),
        }),
      onFailure: (error) =>
        log.debug('The report of this instance could not be stored', { error: String(error) }),
    })
    started.start()
    return started
  }

  const close = async (): Promise<void> => {
    if (starting === null) begun.reject(closed())
    // At once, while calls are let end: from here on it takes no change.
    const told = reporter?.close()
    await probes?.close()
    await synchronizer?.close()
    await starting?.catch(() => undefined)
    await synchronizer?.close()
    await told
    if (told === undefined) await reporter?.close()
    await watchdog?.close()
    overload?.close()
    wheel.close()
    for (const stop of stopGuarding) stop()
    openTelemetry.close()
    await ownStore?.close()
  }

  const status = (): RuntimeStatus => {
    if (synchronizer !== null) return synchronizer.status()
    throw new RuntimeError('OPTIONS_INVALID', 'The runtime is not started: await start() first')
  }

  return {
    dispatcher,
    start: () => {
      if (closing !== null) return Promise.reject(closedForGood())
      return (starting ??= start())
    },
    close: () => (closing ??= close()),
    handle: (call) => {
      const match = dispatcher.match(call.method, call.path ?? call.url)
      if (match.status !== 'found') return Promise.resolve(dispatcher.refuse(match))
      const { function: name, params, query } = match
      return dispatcher.invoke(name, { ...call, params, query })
    },
    status,
    metrics: () => toPrometheusText([...callFamilies(registry), ...statusFamilies(status())]),
    ready: async () => (await begun.promise).ready(),
    refresh: async () => (await begun.promise).refresh(),
  }
}

function closedForGood(): RuntimeError {
  return new RuntimeError(
    'RUNTIME_CLOSED',
    'A runtime that was closed cannot be started again: create another with createRuntime()',
  )
}

/** @throws RuntimeError `OPTIONS_INVALID` when the file cannot be read; `verifyTrustRoot`'s otherwise. */
async function readTrustRoot(trust: string | Uint8Array): Promise<TrustRoot> {
  if (typeof trust !== 'string') return (await verifyTrustRoot(trust, null)).document
  try {
    return (await verifyTrustRoot(await readFile(trust), null, trust)).document
  } catch (cause) {
    if (cause instanceof RuntimeError) throw cause
    throw new RuntimeError(
      'OPTIONS_INVALID',
      `The trust root ${trust} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`,
      { cause },
    )
  }
}
