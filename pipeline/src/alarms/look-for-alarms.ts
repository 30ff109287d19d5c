import { isRuntimeError, type RuntimeError } from '@needle-faas/runtime/store'
import { assertNotLost } from '../environment-state/assert-not-lost.ts'
import { type HistoryState, readHistoryStates } from '../environment-state/history-states.ts'
import { type KnownReports, readReportReadings } from '../environment-state/instance-reports.ts'
import { storeTime } from '../environment-state/store-time.ts'
import { type EnvironmentAccess, readEnvironment } from '../environment-state/read-environment.ts'
import type { Alarm } from './alarm.ts'
import { type AlarmNotice, compareAlarms } from './alarm-notice.ts'
import { findAlarms } from './find-alarms.ts'
import type { ToldRecord } from './told-record.ts'
import type { Webhook } from './webhook.ts'

/** How many manifests back a look goes for what it has missed. */
const stepsKept = 50

export interface LookOptions {
  readonly access: EnvironmentAccess
  readonly told: ToldRecord
  /** Kept from one look to the next, so that reports are fetched when they change. */
  readonly known?: KnownReports | undefined
  /** Null: whoever runs this reads its output. */
  readonly webhook: Webhook | null
  /** Epoch milliseconds, by this machine's clock; what it is worth, `storeTime` says. */
  readonly now: number
}

/** News, and whether the webhook took it. */
export interface ToldNotice extends AlarmNotice {
  /** Why it was not taken; null when it was, or without a webhook. */
  readonly fault: string | null
}

export interface LookOutcome {
  readonly alarms: readonly Alarm[]
  readonly notices: readonly ToldNotice[]
  /** What to begin the next look with. */
  readonly told: ToldRecord
}

/**
 * Reads an environment, finds what is new about it and tells it. What the webhook does not take is
 * tried again at the next look, under the same id.
 */
export async function lookForAlarms({
  access,
  told,
  known,
  webhook,
  ...options
}: LookOptions): Promise<LookOutcome> {
  const found = await read(access, told, known)
  const now = storeTime(access.store, options.now)
  const { alarms, notices } = compareAlarms(
    told.alarms,
    findAlarms({ ...found, environment: access.environment, told: told.alarms, now }),
    now,
  )
  const news = [...told.undelivered, ...notices]
  const outcomes: ToldNotice[] = []
  let isDown = false
  for (const notice of news) {
    // One that does not answer the first will not answer the rest, and the next look comes soon.
    const fault: string | null = isDown
      ? 'it did not take the one before'
      : ((await webhook?.deliver(notice, access.signal)) ?? null)
    isDown = fault !== null
    outcomes.push({ ...notice, fault })
  }
  const newest = found.reading?.state.newest?.manifest.version
  return {
    alarms,
    notices: outcomes,
    told: {
      specVersion: 1,
      version: newest ?? told.version,
      alarms,
      undelivered: outcomes
        .filter(({ fault }) => fault !== null)
        .map(({ fault: _fault, ...notice }) => notice),
    },
  }
}

type Found = Pick<Parameters<typeof findAlarms>[0], 'reading' | 'fault' | 'readings' | 'steps'>

async function read(
  access: EnvironmentAccess,
  told: ToldRecord,
  known?: KnownReports,
): Promise<Found> {
  try {
    const [reading, readings] = await Promise.all([
      readEnvironment(access),
      readReportReadings(access, known),
    ])
    assertNotLost(reading.state, readings, told.version)
    const newest = reading.state.newest?.manifest.version ?? 0
    const steps = told.version === newest ? [] : await readSteps(access, told.version, newest)
    return { reading, fault: null, readings, steps }
  } catch (error) {
    if (access.signal?.aborted || !isRuntimeError(error)) throw error
    return { reading: null, fault: error satisfies RuntimeError, readings: [], steps: [] }
  }
}

/** From the one that was looked at last, or the one before the newest, oldest first. */
async function readSteps(
  access: EnvironmentAccess,
  seen: number | null,
  newest: number,
): Promise<readonly HistoryState[]> {
  const missed = seen === null ? 1 : Math.max(1, newest - seen)
  const history = await readHistoryStates(access, Math.min(missed, stepsKept) + 1)
  return history.toReversed()
}
