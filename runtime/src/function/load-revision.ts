import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors.ts'
import type { Digest } from '../manifest/digest.ts'
import type { Release } from '../manifest/release.ts'
import type { MetricsRegistry } from '../metrics/metrics-registry.ts'
import { pause } from '../pause.ts'
import { ActiveCall } from './active-call.ts'
import { handOver, handOverRefusal, type Take } from './answer-turn.ts'
import { assembleFunction } from './assemble-function.ts'
import { attributionOfLoad } from './attribution.ts'
import type { Logger } from './authoring/function-context.ts'
import type { Bulkhead } from './bulkhead.ts'
import type { Call, Outcome } from './call.ts'
import { busyOutcome } from './call-answers.ts'
import type { Container } from './container/create-container.ts'
import { toPlainSchemas } from './container/plain-schema.ts'
import { readDefinition } from './container/read-definition.ts'
import type { DeadlineWheel } from './deadline-wheel.ts'
import { drained } from './drained.ts'
import { evaluateArtifact } from './evaluate-artifact.ts'
import { lookAfter } from './interrupted-calls.ts'
import { LoadCost } from './load-cost.ts'
import { timeOf } from './limited-call.ts'
import type { LoadedFunction } from './loaded-function.ts'
import { madeAnew } from './made-anew.ts'
import { toOutcome } from './outcome.ts'
import { Probation, type ProbationOptions } from './probation.ts'
import { quietTurn } from './quiet-turn.ts'
import { createAuthorLog, createRevisionLog } from './revision-log.ts'
import { type Revision, toRevisionId } from './revision.ts'
import { createSourcePositions, type SourceMapLoader } from './source-positions.ts'
import { Standby } from './standby.ts'

export interface LoadRevisionOptions {
  readonly release: Release
  /** Of the signed release document: names the revision. */
  readonly releaseDigest: Digest
  /** Verified bytes; see `container/artifact-format.ts`. */
  readonly artifact: Uint8Array
  /** What `Revision.compiled` gave for this artifact on this engine. */
  readonly compiled?: Uint8Array | null | undefined
  /** Asked for once, when a failure is first logged. */
  readonly sourceMap?: SourceMapLoader | undefined
  /** All the host offers; the function gets those its settings name. */
  readonly services: Readonly<Record<string, unknown>>
  readonly log: Logger
  readonly clock: Clock
  /** Shared by all revisions of a host. */
  readonly wheel: DeadlineWheel
  /** Path below which the host serves functions. Default: none. */
  readonly prefix?: string | undefined
  /** Where its calls are counted, under the revision's id. */
  readonly registry?: MetricsRegistry | undefined
  /** Counts its calls together with those of the function's other revisions. Default: one of its own. */
  readonly bulkhead?: Bulkhead | undefined
  /** For the synchronous evaluation of the top level. Default 2000. */
  readonly loadTimeoutMs?: number | undefined
  /** Longest silence of a streaming answer before it is cut. Default 30 000. */
  readonly streamIdleMs?: number | undefined
  /**
   * The watchdog is about to end an execution of the revision, which refuses calls from now on. Runs
   * in the middle of that execution: it may only take note.
   */
  readonly onRunaway?: ((revision: Revision, requestId: string | null) => void) | undefined
  /** Of a revision that has not proven itself here, or is watched; null for any other. Default null. */
  readonly probation?: ProbationOptions | null | undefined
  /** As `onRunaway`, of a call whose execution was ended by the guard of its probation, afterwards. */
  readonly onOverrun?: ((revision: Revision, requestId: string) => void) | undefined
}

/**
 * Evaluates an artifact in a container of its own and makes it callable. Blocks the event loop
 * while the script compiles and runs; the caller decides when.
 *
 * @throws RuntimeError `SERVICE_MISSING`, `FUNCTION_SYNTAX`, `FUNCTION_THROWS_AT_LOAD`,
 * `FUNCTION_LOAD_TIMEOUT`, `FUNCTION_RUNAWAY`, `FUNCTION_NO_DEFAULT_EXPORT` or
 * `FUNCTION_BAD_DEFINITION`
 */
export function loadRevision(options: LoadRevisionOptions): Promise<Revision> {
  // A promise of its own: when the watchdog ends a getter of the definition, that of `load` is lost.
  return new Promise((resolve, reject) => {
    load(options, reject).then(resolve, reject)
  })
}

async function load(
  options: LoadRevisionOptions,
  onCut: (error: RuntimeError) => void,
): Promise<Revision> {
  const { release, releaseDigest, registry, onRunaway, onOverrun, probation } = options
  // Closures below live as long as the revision: the bytes are not to.
  const kept = { ...options, artifact: null, compiled: null }
  const id = toRevisionId(release.function, releaseDigest)
  const log = createRevisionLog(options.log, release.function, id)
  const positions = createSourcePositions(id, options.sourceMap ?? (async () => null))
  const authorLog = createAuthorLog(log, {
    clock: options.clock,
    positions,
    onDropped: (lines) => {
      const metrics = registry?.find(release.function, id) ?? null
      if (metrics !== null) metrics.droppedLines += lines
    },
  })
  let onCondemned = (_requestId: string | null): void => {
    setImmediate(() => onCut(heldUp(id)))
  }
  const attribution = attributionOfLoad(id)
  const cost = new LoadCost()
  const container = await evaluateArtifact(
    { artifact: options.artifact, compiled: options.compiled ?? null },
    {
      revision: id,
      log: authorLog,
      loadTimeoutMs: options.loadTimeoutMs,
      onCondemned: (requestId) => onCondemned(requestId),
      attribution,
      positions,
    },
    cost,
  )
  try {
    await quietTurn()
    const { definition, plain } = cost.measure(() => {
      const read = readDefinition(release.function, container.defaultExport)
      return { definition: read, plain: toPlainSchemas(read) }
    })
    await pause()
    const shared = cost.measure(() =>
      assembleFunction({
        ...kept,
        id,
        settings: release.settings,
        definition,
        plain,
        realm: container.realm,
        log,
        authorLog,
        positions,
        metrics: registry?.forRevision(release.function, id),
      }),
    )
    shared.metrics.recordLoad(cost)
    attribution.metrics = shared.metrics
    const identity = { id, release, releaseDigest }
    const { revision, condemn } = createRevision(identity, shared, { container, registry })
    onCondemned = (requestId) => {
      condemn()
      onRunaway?.(revision, requestId)
    }
    if (probation != null) {
      shared.probation = new Probation(probation, {
        runLimited: container.runLimited,
        onOverrun: (requestId) => {
          condemn()
          onOverrun?.(revision, requestId)
        },
        onOver: () => (shared.probation = null),
        timers: container.timers,
      })
    }
    return revision
  } catch (error) {
    container.dispose()
    throw error
  }
}

function heldUp(id: string): RuntimeError {
  return new RuntimeError(
    'FUNCTION_RUNAWAY',
    `${id} held up the process while its definition was read, and was stopped. Compute nothing in getters.`,
    { details: { revision: id } },
  )
}

function createRevision(
  identity: Pick<Revision, 'id' | 'release' | 'releaseDigest'>,
  loaded: LoadedFunction,
  {
    container: evaluated,
    registry,
  }: {
    readonly container: Pick<Container, 'compiled' | 'timers' | 'dispose'>
    readonly registry: MetricsRegistry | undefined
  },
): { readonly revision: Revision; readonly condemn: () => void } {
  const { active, settings, jsonHeaders, clock } = loaded
  const standby = new Standby({ active, timers: evaluated.timers, clock })
  // Let go together, so that a disposed revision someone still holds retains no context.
  let shared: LoadedFunction | null = loaded
  let container: typeof evaluated | null = evaluated
  let isRunaway = false
  const forget = lookAfter(active)

  // Here, not handed in: a callback made in `load` would keep all that is let go of below.
  const turnAway = (answer: Outcome, take: Take): void => {
    if (answer.errorCode !== null) registry?.turnAway(identity.release.function, answer.errorCode)
    handOverRefusal(take, answer)
  }

  const begin = (call: Call, refuse: Take, take: Take): void => {
    if (shared === null) return turnAway(toOutcome(stopped, jsonHeaders), refuse)
    if (isRunaway) return turnAway(toOutcome(quarantined, jsonHeaders), refuse)
    if (active.isFull) return turnAway(busyOutcome(shared), refuse)
    if (standby.isOn) standby.wake()
    return new ActiveCall(call, shared, take).start()
  }

  const revision: Revision = {
    ...identity,
    get isRunaway() {
      return isRunaway
    },
    get isOnProbation() {
      return shared?.probation?.isOpen === true
    },
    get inFlight() {
      return active.size
    },
    invoke: (call: Call) =>
      new Promise<Outcome>((onOutcome) => {
        const take = (outcome: Outcome): void => handOver(onOutcome, outcome)
        if (shared?.probation?.isOpen !== true || !settings.idempotent) {
          return begin(call, onOutcome, take)
        }
        const make = (again: Call): void => begin(again, onOutcome, take)
        return begin(call, onOutcome, madeAnew(call, timeOf(call, settings), { make, take }))
      }),
    drained: (timeoutMs) => drained(active, { clock, timeoutMs }),
    standBy: (drainTimeoutMs) => standby.begin(drainTimeoutMs),
    resume: () => standby.end(),
    compiled: () => container?.compiled() ?? null,
    stopRunaway: (requestId) => active.stopRunaway(requestId),
    dispose: () => {
      shared = null
      active.stop()
      forget()
      container?.dispose()
      container = null
    },
  }
  const condemn = (): void => {
    isRunaway = true
    if (shared !== null) shared.isRunaway = true
  }
  return { revision, condemn }
}

const stopped = {
  status: 503,
  code: 'FUNCTION_STOPPED',
  message: 'This revision of the function serves no more',
} as const

/** To calls of what the watchdog has taken out of service. */
export const quarantined = {
  status: 503,
  code: 'FUNCTION_QUARANTINED',
  message: 'This release of the function held up the process and is out of service here',
} as const
