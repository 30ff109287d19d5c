import type { Digest } from '@needle-faas/runtime/manifest'
import { goneAfterMs, silentAfterMs } from '../environment-state/fleet.ts'
import type { ReportReading } from '../environment-state/instance-reports.ts'

/** A report that is not believed, and why. */
export interface RefusedReport {
  readonly instance: string
  readonly why: string
}

/** The reports of a round, told apart. An instance is in one of the lists. */
export interface Fleet {
  /** Heard of lately. */
  readonly live: readonly ReportReading[]
  /** Silent for minutes, but not for an hour. */
  readonly dead: readonly ReportReading[]
  /** Stopped in order. */
  readonly left: readonly ReportReading[]
  readonly refused: readonly RefusedReport[]
}

export interface Screening {
  readonly environment: string
  readonly readings: readonly ReportReading[]
  /** By the clock of the store, which also dates the reports: clocks of instances are not compared with it. */
  readonly now: number
  /** Version of the newest manifest. */
  readonly newestVersion: number
  /** Digest of the manifest of this version in the history; null when it is not there. */
  readonly digestOf: (version: number) => Digest | null
  /** What was read of an instance the last time; nothing in a first round. */
  readonly before: ReadonlyMap<string, ReportReading>
}

/**
 * Tells live instances from dead ones, and reports that cannot be of this environment from those
 * that can. Whoever may write reports can still invent an instance: what that can do at worst is to
 * stop a canary or to hold it.
 */
export function screenReports(screening: Screening): Fleet {
  const live: ReportReading[] = []
  const dead: ReportReading[] = []
  const left: ReportReading[] = []
  const refused: RefusedReport[] = []
  for (const reading of screening.readings) {
    const ageMs = screening.now - reading.modifiedAt
    if (ageMs > goneAfterMs) continue
    const why = findFault(reading, screening)
    if (why !== null) refused.push({ instance: reading.instance, why })
    else if (reading.report.stopped === true) left.push(reading)
    else if (ageMs > silentAfterMs) dead.push(reading)
    else live.push(reading)
  }
  return { live, dead, left, refused }
}

function findFault(
  { instance, report }: ReportReading,
  { environment, newestVersion, digestOf, before }: Screening,
): string | null {
  if (report.instance !== instance) return `says it is ${report.instance}`
  if (report.environment !== environment) return `is of ${report.environment}`
  if (report.manifest !== null) {
    const { version, digest } = report.manifest
    const known = digestOf(version)
    // An old entry may have been pruned; a new one that nobody wrote is invented.
    const isInvented = known === null ? version > newestVersion : known !== digest
    if (isInvented) return `runs a version ${version} that is not in the history`
  }
  const last = before.get(instance)?.report
  const isSameProcess = last?.startedAt === report.startedAt
  // Both times are of its own clock.
  if (isSameProcess && Date.parse(report.reportedAt) < Date.parse(last.reportedAt)) {
    return `was written again: one of ${last.reportedAt} was read before`
  }
  return null
}
