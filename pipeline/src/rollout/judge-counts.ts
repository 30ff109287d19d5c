import {
  callsOf,
  type ReportedRollout,
  type ReportedStableFailure,
  type ReportedTrip,
} from '@needle-faas/runtime/manifest'
import { isLess, noProbes } from './counts.ts'
import { longestSince, type ReportTime } from './report-time.ts'

/** More calls than any process answers in a second. */
const callsPerSecond = 100_000

/** Fewest bad calls that can trip a breaker, whatever the weight of the canary. */
const leastBadCalls = 3

/** What cannot be true of what an instance measured; null when all of it can. */
export function findImplausible(
  { measured, step, since }: ReportedRollout,
  { report, before }: { readonly report: ReportTime; readonly before: ReportedRollout | null },
): string | null {
  const elapsedMs = longestSince(since, report)
  for (const side of ['stable', 'canary'] as const) {
    const { calls, faults, slow, probes = noProbes } = measured[side]
    if (faults > calls || slow > calls || probes.faults > probes.calls)
      return `counts more bad calls of ${side} than calls`
    const all = callsOf(measured[side])
    if (all > (elapsedMs / 1000 + 1) * callsPerSecond) {
      return `counts ${all} calls of ${side} in ${Math.round(elapsedMs / 1000)} s`
    }
    const last = before?.since === since ? before.measured[side] : null
    if (last !== null && isLess(measured[side], last)) {
      return `counts fewer calls of ${side} than before`
    }
  }
  if (step !== undefined && step.callsBefore > callsOf(measured.canary)) {
    return 'counts fewer calls of canary than before its step'
  }
  return null
}

/** Why the counts of a trip do not bear it out; null when they do. */
export function findUnsupported(trip: ReportedTrip, { measured }: ReportedRollout): string | null {
  const { stable, canary, cause } = trip
  if (isLess(measured.canary, canary) || isLess(measured.stable, stable)) {
    return 'tripped on more calls than it counts'
  }
  if (cause === 'latency') {
    return findWeak(
      { bad: stable.slow, calls: stable.calls },
      { bad: canary.slow, calls: canary.calls },
    )
  }
  const ofUsers = findWeak(
    { bad: stable.faults, calls: stable.calls },
    { bad: canary.faults, calls: canary.calls },
  )
  const [ours, theirs] = [canary.probes ?? noProbes, stable.probes ?? noProbes]
  const ofProbes = findWeak(
    { bad: theirs.faults, calls: theirs.calls },
    { bad: ours.faults, calls: ours.calls },
  )
  // Either kind of calls can trip a breaker.
  return ofUsers === null || ofProbes === null ? null : ofUsers
}

interface Tally {
  readonly bad: number
  readonly calls: number
}

function findWeak(stable: Tally, canary: Tally): string | null {
  if (stable.calls === 0 || canary.calls === 0) return 'tripped without calls of both sides'
  if (canary.bad < leastBadCalls) return `tripped on ${canary.bad} bad calls`
  if (canary.bad / canary.calls <= stable.bad / stable.calls) {
    return 'tripped although stable does no better'
  }
  return null
}

/** Why what is said against a stable is not borne out by its counts; null when it is. */
export function findGroundless(failure: ReportedStableFailure): string | null {
  const { calls, faults, usualShare } = failure
  if (faults > calls) return 'counts more failures of stable than calls'
  if (faults < leastBadCalls) return `gave stable up for ${faults} failures`
  return faults / calls <= usualShare ? 'gave stable up for failing as often as usual' : null
}
