import type {
  DecisionEvidence,
  Digest,
  ReportedFunction,
  ReportedRollout,
  ReportedStableFailure,
  ReportedTrip,
} from '@needle-faas/runtime/manifest'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { noCalls, sumOf } from './counts.ts'
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

/** A live instance that has the function. */
export interface Witness {
  readonly instance: string
  /** Whether it runs the step. */
  readonly votes: boolean
  /** What it measured of this very rollout: its part in the sums of the evidence. */
  readonly rollout: ReportedRollout | null
}

/** An instance that ran the canary when it was last heard of. */
export interface SilentInstance {
  readonly instance: string
  /** By the clock of the store, epoch milliseconds. */
  readonly heardAt: number
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
  /** Those that ran this canary when they fell silent, however long ago. */
  readonly silent: readonly SilentInstance[]
  /** Every live instance, with what it adds to the evidence. */
  readonly witnesses: readonly Witness[]
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

/**
 * Pools what every instance says about one revision. What an instance found bad in a rollout stays so
 * for as long as it goes on, whatever became of the instance, and says nothing of another rollout.
 */
export function poolReports(
  watched: Watched,
  fleet: Fleet,
  before: ReadonlyMap<string, ReportReading>,
): Pool {
  const trips: Pool['trips'][number][] = []
  const harms: Pool['harms'][number][] = []
  const refused = [...fleet.refused]
  const late: string[] = []
  const silent: SilentInstance[] = []
  const witnesses: Witness[] = []
  let [stable, canary] = [noCalls, noCalls]
  let [voted, dead] = [0, 0]

  for (const { state, reading } of each(fleet)) {
    const { instance, report } = reading
    const own = report.functions[watched.function]
    // It serves other groups.
    if (own === undefined) continue
    // Of one that is gone nobody needs to be told any more what it says that cannot be.
    const disbelieve = (why: string): void => {
      if (state !== 'gone') refused.push({ instance, why })
    }
    if (state === 'gone') {
      // An alarm about what serves all does not outlive who gave it: only a rollout comes to an end.
      if (watched.salt === null) continue
      if (report.stopped !== true && ranCanary(reading, own, watched)) {
        silent.push({ instance, heardAt: reading.modifiedAt })
      }
    }
    const isOfNow = state === 'live' || isSince(reading, watched)
    const failure = watched.salt === null && isOfNow ? failureIn(own, watched) : null
    if (failure !== null) {
      const groundless = findGroundless(failure)
      if (groundless !== null) disbelieve(groundless)
      else
        harms.push({
          instance,
          message: describeFailure(failure),
          isEvaded: own.stableTrip !== undefined,
        })
    }
    const measured = rolloutIn(own, watched)
    for (const refusal of own.refusals) {
      if (refusal.release !== watched.release || !harmful.has(refusal.code)) continue
      const isMeant =
        watched.salt === null || refusal.salt === undefined
          ? isOfNow || measured !== null
          : refusal.salt === watched.salt
      if (!isMeant) continue
      harms.push({ instance, message: `${refusal.code}: ${refusal.message}`, isEvaded: false })
    }
    const known = before.get(instance)?.report.functions[watched.function]
    const why =
      measured &&
      findImplausible(measured, {
        report,
        before: known === undefined ? null : rolloutIn(known, watched),
      })
    if (why) {
      disbelieve(why)
      continue
    }
    if (measured?.trip) {
      const unsupported = findUnsupported(measured.trip, measured)
      if (unsupported === null) trips.push({ instance, trip: measured.trip })
      else {
        disbelieve(unsupported)
        continue
      }
    }
    if (state === 'left' || state === 'gone') continue
    if (state === 'dead') {
      dead++
      if (ranCanary(reading, own, watched)) {
        silent.push({ instance, heardAt: reading.modifiedAt })
      }
      continue
    }
    const votes = runs(reading, own, watched)
    if (votes) voted++
    else late.push(instance)
    witnesses.push({ instance, votes, rollout: measured })
    if (measured === null) continue
    stable = sumOf(stable, measured.measured.stable)
    canary = sumOf(canary, measured.measured.canary)
  }
  const evidence = {
    stable,
    canary,
    live: witnesses.length,
    voted,
    late: late.length,
    dead,
    refused: refused.length,
  }
  return { evidence, trips, harms, refused, late, silent, witnesses }
}

const states = ['live', 'dead', 'gone', 'left'] as const

function each(fleet: Fleet): { state: (typeof states)[number]; reading: ReportReading }[] {
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

/** Whether an instance said this by a manifest that has what is watched as it is. */
function isSince({ report: { manifest } }: ReportReading, watched: Watched): boolean {
  return (
    manifest !== null &&
    manifest.epoch === watched.epoch &&
    manifest.version >= watched.sinceVersion
  )
}

function runs(reading: ReportReading, own: ReportedFunction, watched: Watched): boolean {
  return (
    isSince(reading, watched) &&
    (watched.salt === null ? own.stable : own.canary) === watched.release
  )
}

/**
 * Whether an instance last said that it runs this canary, at whichever step. Before its first call
 * there it names no rollout: that it was an earlier one of the same release cannot be excluded then, but
 * it may as well be the call that ended it.
 */
function ranCanary({ report }: ReportReading, own: ReportedFunction, watched: Watched): boolean {
  if (watched.salt === null || report.manifest?.epoch !== watched.epoch) return false
  return own.rollout === undefined
    ? own.canary === watched.release
    : rolloutIn(own, watched) !== null
}
