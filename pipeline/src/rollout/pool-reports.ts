import type {
  DecisionEvidence,
  Digest,
  ReportedFunction,
  ReportedRollout,
  ReportedSide,
  ReportedStableFailure,
  ReportedTrip,
} from '@needle-faas/runtime/manifest'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { sumOf } from './counts.ts'
import { findGroundless, findImplausible, findUnsupported } from './judge-counts.ts'
import type { Fleet, RefusedReport } from './screen-reports.ts'

/** Which revision of a function is looked at, and since when. */
export interface Watched {
  /** Full name. */
  readonly function: string
  readonly release: Digest
  /** Of the rollout; null when it is stable that is watched. */
  readonly salt: string | null
  /** The instances that run it have at least this manifest. */
  readonly epoch: number
  readonly sinceVersion: number
}

/** What an instance has against a revision. */
export interface Harm {
  readonly instance: string
  readonly message: string
  /** Whether it serves something else in its stead already. */
  readonly isEvaded: boolean
}

/** What the fleet says about one revision of a function. */
export interface Pool {
  readonly evidence: DecisionEvidence
  /** Instances that stopped its calls, on counts that bear it out. */
  readonly trips: readonly { readonly instance: string; readonly trip: ReportedTrip }[]
  /** What it did, where it was not the breaker of a rollout that stopped it. */
  readonly harms: readonly Harm[]
  readonly refused: readonly RefusedReport[]
  /** Names of those counted as late. */
  readonly late: readonly string[]
  /** How many ran it when they fell silent. */
  readonly fellSilent: number
}

/**
 * Refusals that are the revision's own doing. Not among them: what a store or a busy machine may be
 * to blame for, such as a missing object or a slow load; an instance with one of those is late.
 */
const harmful: ReadonlySet<string> = new Set([
  'FUNCTION_RUNAWAY',
  'FUNCTION_CRASHED',
  'FUNCTION_SYNTAX',
  'FUNCTION_THROWS_AT_LOAD',
  'FUNCTION_NO_DEFAULT_EXPORT',
  'FUNCTION_BAD_DEFINITION',
])

const none: ReportedSide = { calls: 0, faults: 0, slow: 0 }

/** Pools what every instance says about one revision. What a dead one found bad stays bad. */
export function poolReports(
  watched: Watched,
  fleet: Fleet,
  before: ReadonlyMap<string, ReportReading>,
): Pool {
  const trips: Pool['trips'][number][] = []
  const harms: Pool['harms'][number][] = []
  const refused = [...fleet.refused]
  const late: string[] = []
  let [stable, canary] = [none, none]
  let [live, voted, dead, fellSilent] = [0, 0, 0, 0]

  for (const { state, reading } of each(fleet)) {
    const { instance, report } = reading
    const own = report.functions[watched.function]
    // It serves other groups.
    if (own === undefined) continue
    const failure = watched.salt === null ? failureIn(own, watched) : null
    if (failure !== null) {
      const groundless = findGroundless(failure)
      if (groundless !== null) refused.push({ instance, why: groundless })
      else
        harms.push({
          instance,
          message: describeFailure(failure),
          isEvaded: own.stableTrip !== undefined,
        })
    }
    for (const refusal of own.refusals) {
      if (refusal.release !== watched.release || !harmful.has(refusal.code)) continue
      harms.push({ instance, message: `${refusal.code}: ${refusal.message}`, isEvaded: false })
    }
    const measured = rolloutIn(own, watched)
    const known = before.get(instance)?.report.functions[watched.function]
    const why =
      measured &&
      findImplausible(measured, {
        reportedAt: report.reportedAt,
        before: known === undefined ? null : rolloutIn(known, watched),
      })
    if (why) {
      refused.push({ instance, why })
      continue
    }
    if (measured?.trip) {
      const unsupported = findUnsupported(measured.trip, measured)
      if (unsupported === null) trips.push({ instance, trip: measured.trip })
      else {
        refused.push({ instance, why: unsupported })
        continue
      }
    }
    const runsIt = runs(reading, own, watched)
    if (state === 'left') continue
    if (state === 'dead') {
      dead++
      if (runsIt) fellSilent++
      continue
    }
    live++
    if (runsIt) voted++
    else late.push(instance)
    if (measured === null) continue
    stable = sumOf(stable, measured.measured.stable)
    canary = sumOf(canary, measured.measured.canary)
  }
  const evidence = {
    stable,
    canary,
    live,
    voted,
    late: late.length,
    dead,
    refused: refused.length,
  }
  return { evidence, trips, harms, refused, late, fellSilent }
}

function each(fleet: Fleet): { state: 'live' | 'dead' | 'left'; reading: ReportReading }[] {
  const states = ['live', 'dead', 'left'] as const
  return states.flatMap((state) => fleet[state].map((reading) => ({ state, reading })))
}

/** What this instance measured against stable itself. */
function failureIn(
  { stableTrip, stableFailure }: ReportedFunction,
  { release }: Watched,
): ReportedStableFailure | null {
  const failure = stableTrip ?? stableFailure
  return failure?.stable === release ? failure : null
}

function describeFailure({ faults, calls, usualShare }: ReportedStableFailure): string {
  const usual = Number((usualShare * 100).toFixed(2))
  return `${faults} of ${calls} calls failed, where ${usual} % were usual`
}

/** Only of this very rollout: an earlier one of the same canary has another salt. */
function rolloutIn(
  { rollout }: ReportedFunction,
  { release, salt }: Watched,
): ReportedRollout | null {
  return rollout !== undefined && rollout.salt === salt && rollout.canary === release
    ? rollout
    : null
}

function runs({ report }: ReportReading, own: ReportedFunction, watched: Watched): boolean {
  const { manifest } = report
  const isRecent =
    manifest !== null &&
    manifest.epoch === watched.epoch &&
    manifest.version >= watched.sinceVersion
  return isRecent && (watched.salt === null ? own.stable : own.canary) === watched.release
}
