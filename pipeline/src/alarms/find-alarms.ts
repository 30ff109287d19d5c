import type { RuntimeError } from '@needle-faas/runtime/store'
import type { HistoryState } from '../environment-state/history-states.ts'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import type { EnvironmentReading } from '../environment-state/read-environment.ts'
import type { Alarm } from './alarm.ts'
import type { AlarmFinding } from './alarm-finding.ts'
import { findHoldAlarms } from './hold-alarms.ts'
import { findInstanceAlarms } from './instance-alarms.ts'
import { findManifestAlarms } from './manifest-alarms.ts'
import { findTakenBack } from './taken-back-alarms.ts'

/** An environment as it was found, and what was told of it before. */
export interface AlarmReading {
  readonly environment: string
  /** Null when it cannot be read; `fault` says why. */
  readonly reading: EnvironmentReading | null
  readonly fault: RuntimeError | null
  readonly readings: readonly ReportReading[]
  /** The manifests since the last look, oldest first, beginning with the one looked at then. */
  readonly steps: readonly HistoryState[]
  /** The alarms there were then. */
  readonly told: readonly Alarm[]
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * What somebody should know of an environment now. Pure. While it cannot be read, what was told
 * before stays: nobody knows that it is over.
 */
export function findAlarms(reading: AlarmReading): readonly Alarm[] {
  const { environment, fault, told, now } = reading
  const toAlarm = ({ subject, ...finding }: AlarmFinding): Alarm => {
    const name = finding.function ?? null
    return {
      key: [finding.code, name ?? '-', subject ?? '-'].join(' '),
      code: finding.code,
      severity: finding.severity,
      environment,
      function: name,
      text: finding.text,
      since: finding.since,
      instances: finding.instances ?? [],
      details: finding.details ?? {},
    }
  }
  if (reading.reading === null) {
    const unreadable = fault === null ? [] : [toAlarm(describeFault(fault, now))]
    const keys = new Set(unreadable.map(({ key }) => key))
    return [...told.filter(({ key }) => !keys.has(key)), ...unreadable]
  }
  const { state, pointer } = reading.reading
  const takenBack = findTakenBack({ state, steps: reading.steps, told }).map(toAlarm)
  const explained = new Set(takenBack.map((alarm) => alarm.function))
  return [
    ...takenBack,
    ...findHoldAlarms(state, now, explained).map(toAlarm),
    ...findManifestAlarms(state, pointer, now).map(toAlarm),
    ...findInstanceAlarms(state, reading.readings, now).map(toAlarm),
  ]
}

function describeFault({ code, message }: RuntimeError, now: number): AlarmFinding {
  const since = new Date(now).toISOString()
  const details = { code }
  return code === 'MANIFEST_FORKED'
    ? { code: 'FORKED', severity: 'critical', text: message, since, details }
    : {
        code: 'ENVIRONMENT_UNREADABLE',
        severity: 'critical',
        text: `${code}: ${message}. Instances go on with what they have; needle doctor says what to do`,
        since,
        subject: code,
        details,
      }
}
