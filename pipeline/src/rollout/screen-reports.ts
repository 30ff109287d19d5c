import type { Digest } from '@needle-faas/runtime/manifest'
import { goneAfterMs, silentAfterMs } from '../environment-state/fleet.ts'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { isWrittenBefore } from './report-time.ts'

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
  /**
   * Silent for longer, or stopped longer ago. What they ran when they were last heard of, and what they
   * found of it, still counts against it.
   */
  readonly gone: readonly ReportReading[]
  /** Stopped in order, within the hour. */
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
 * that can.
 *
 * Whoever may write below `instances/` can still invent an instance. One can stop a canary or hold it
 * but not move it: nothing goes forward that the others do not bear out (`findSoleWord`). Many can.
 * They outvote late instances, for a quorum is one of those that report; they outnumber those that fell
 * silent; and their good calls stand for those that nobody made. They cannot make a canary serve that is
 * bad where it serves: every real instance counts its own calls, its breaker stops the canary there
 * whatever others say, and its trip aborts it for all. Who may write there is for the permissions of the
 * bucket. A report written again is noticed by who has read a newer one: a controller that looks once,
 * and has no memory, takes it for live for as long as the store says that it was written lately.
 */
export function screenReports(screening: Screening): Fleet {
  const live: ReportReading[] = []
  const dead: ReportReading[] = []
  const gone: ReportReading[] = []
  const left: ReportReading[] = []
  const refused: RefusedReport[] = []
  for (const reading of screening.readings) {
    const ageMs = screening.now - reading.modifiedAt
    const isGone = ageMs > goneAfterMs
    const why = findFault(reading, screening)
    // Of one that is gone nobody needs to be told any more.
    if (why !== null) {
      if (!isGone) refused.push({ instance: reading.instance, why })
    } else if (isGone) gone.push(reading)
    else if (reading.report.stopped === true) left.push(reading)
    else if (ageMs > silentAfterMs) dead.push(reading)
    else live.push(reading)
  }
  return { live, dead, gone, left, refused }
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
  if (last !== undefined && isWrittenBefore(report, last)) {
    return `was written again: one of ${last.reportedAt} was read before`
  }
  return null
}
