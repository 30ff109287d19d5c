import {
  type Digest,
  type PrometheusCheck,
  type Rollout,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { assertNotLost } from '../environment-state/assert-not-lost.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import {
  type KnownReports,
  readReportReadings,
  type ReportReading,
} from '../environment-state/instance-reports.ts'
import { readEnvironment } from '../environment-state/read-environment.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { takenBackHold } from '../plan/taken-back.ts'
import { changeEnvironment, type ChangeOutcome } from '../publish/change-environment.ts'
import type { Publisher } from '../publish/publisher.ts'
import { decideRollout } from './decide-rollout.ts'
import type { Decision } from './decision.ts'
import { createHistoryDigests, createWriteTimes } from './history-lookups.ts'
import type { MetricReading } from './metric-reading.ts'
import { planRound, type RoundPlan } from './plan-round.ts'
import { readMetric } from './read-metric.ts'
import { isWrittenBefore } from './report-time.ts'
import { screenReports } from './screen-reports.ts'
import { createStoreClock } from './store-clock.ts'

/** What one look at an environment came to. */
export interface RoundOutcome {
  /** Of every function that is in motion or in trouble, by name. */
  readonly decisions: readonly Decision[]
  /** Null when there was nothing to write. */
  readonly change: ChangeOutcome | null
  /** Moves that wait for the next round. */
  readonly deferred: number
  /** Functions held until Git moves on from what was aborted or rolled back, before this round. */
  readonly takenBack: readonly string[]
}

/**
 * Moves the rollouts of an environment. Everything it needs lies in the store, so it may be killed
 * at any moment and started again anywhere; a second one at the same time does no harm.
 */
export interface Controller {
  /**
   * Reads, decides, and writes at most one manifest.
   *
   * @throws as `readEnvironment`, `assertNotLost` and `changeEnvironment` do
   */
  round(): Promise<RoundOutcome>
}

export interface ControllerOptions {
  readonly publisher: Publisher
  /** Recorded with what it decides. */
  readonly actor: string
  /** Of the Prometheus that policies with a query are asked of. */
  readonly prometheus?: string | undefined
}

export function createController(options: ControllerOptions): Controller {
  const { publisher, actor, prometheus } = options
  const { access } = publisher
  const readNow = createStoreClock(access, publisher.clock)
  const historyDigest = createHistoryDigests(access)
  const writtenAt = createWriteTimes(access)
  const before = new Map<string, ReportReading>()
  const known: KnownReports = new Map()

  const decide = async (
    state: EnvironmentState,
    readings: readonly ReportReading[],
    now: number,
  ): Promise<readonly Decision[]> => {
    const newest = state.newest?.manifest
    if (newest === undefined) return []
    const digests = await historyDigest(state, readings)
    const fleet = screenReports({
      environment: state.environment,
      readings,
      now,
      newestVersion: newest.version,
      digestOf: (version) => digests.get(version) ?? null,
      before,
    })
    const decisions = await Promise.all(
      [...toFunctionStates(state.groups)].map(async ([name, each]) => {
        const { rollout } = each
        const query = rollout?.prometheus
        const [stepBegan, metric] = await Promise.all([
          writtenAt(rollout?.sinceVersion),
          rollout && query && prometheus !== undefined
            ? askMetric(prometheus, query, { name, rollout, stable: each.stable.release })
            : null,
        ])
        const { epoch } = newest
        const { environment } = state
        const asked = { environment, function: name, state: each, epoch, fleet, before, metric }
        return decideRollout({ ...asked, stepBegan, now })
      }),
    )
    return decisions.filter((decision) => decision !== null)
  }

  const askMetric = (
    url: string,
    { query }: PrometheusCheck,
    of: { readonly name: string; readonly rollout: Rollout; readonly stable: Digest },
  ): Promise<MetricReading> =>
    readMetric(
      url,
      query
        .replaceAll('$function', of.name)
        .replaceAll('$canary', shortDigest(of.rollout.canary.release))
        .replaceAll('$stable', shortDigest(of.stable)),
      access.signal,
    )

  return {
    round: async () => {
      const [{ state, pointer }, readings] = await Promise.all([
        readEnvironment(access),
        readReportReadings(access, known),
      ])
      assertNotLost(state, readings)
      const now = await readNow()
      let decisions = await decide(state, readings, now)
      let takenBack = findTakenBack(state)
      const planOf = (from: EnvironmentState): RoundPlan =>
        planRound({ state: from, decisions, actor, now })
      let { plan, deferred } = planOf(state)
      // Somebody who died between the last two writes of a change left the pointer behind.
      const isWhole = pointer.status === 'current' || state.newest === null
      const isQuiet = plan.draft === null && isWhole
      const change = isQuiet
        ? null
        : await changeEnvironment(publisher, async (newest) => {
            decisions = await decide(newest, readings, now)
            takenBack = findTakenBack(newest)
            ;({ plan, deferred } = planOf(newest))
            return { plan, uploads: [] }
          })
      remember(before, readings)
      return { decisions, change, deferred, takenBack }
    },
  }
}

function findTakenBack({ groups }: EnvironmentState): readonly string[] {
  return [...toFunctionStates(groups)]
    .filter(([, each]) => takenBackHold(each) !== null)
    .map(([name]) => name)
}

/** Keeps the newest of each instance, so that an old report written again is noticed. */
function remember(before: Map<string, ReportReading>, readings: readonly ReportReading[]): void {
  const names = new Set(readings.map(({ instance }) => instance))
  for (const name of before.keys()) if (!names.has(name)) before.delete(name)
  for (const reading of readings) {
    const last = before.get(reading.instance)?.report
    const isOlder = last !== undefined && isWrittenBefore(reading.report, last)
    if (!isOlder) before.set(reading.instance, reading)
  }
}
