import type { Digest } from '../manifest/digest.ts'
import {
  callsOf,
  type ReportedRollout,
  type ReportedStep,
  type ReportedTrip,
} from '../manifest/instance-report.ts'
import {
  type Breaker,
  type BreakerTrip,
  type CallSample,
  createBreaker,
} from '../rollout/breaker.ts'
import type { CanaryTarget, RolloutIdentity } from './plan-activation.ts'

/** The breakers of the rollouts that run here. Each lives as long as its rollout, whatever its weight. */
export interface Rollouts {
  /** The rollout this canary belongs to, for a call that begins now. */
  of(functionName: string, canary: CanaryTarget): WatchedRollout
  /** Whether the canary of this rollout was stopped here. */
  isTripped(functionName: string, rollout: RolloutIdentity): boolean
  /** What was measured of this rollout; null before the first call. */
  reportOf(functionName: string, rollout: RolloutIdentity): ReportedRollout | null
}

export interface WatchedRollout {
  /** As `Breaker.usualMs`. */
  readonly usualMs: number | null
  /** Counts a call that began in it; tells `onTrip`, once, when the canary has been shown to be worse. */
  record(sample: CallSample): void
}

export interface RolloutsOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly onTrip: (functionName: string, canary: CanaryTarget, trip: ReportedTrip) => void
}

interface Watched extends WatchedRollout {
  readonly release: Digest
  readonly salt: string
  readonly breaker: Breaker
  readonly since: string
  step: ReportedStep
  trip: ReportedTrip | null
}

export function createRollouts({ now, onTrip }: RolloutsOptions): Rollouts {
  const watched = new Map<string, Watched>()
  const nowIso = (): string => new Date(now()).toISOString()

  const find = (functionName: string, { canary, salt }: RolloutIdentity): Watched | null => {
    const known = watched.get(functionName)
    return known?.salt === salt && known.release === canary.release ? known : null
  }

  const watch = (functionName: string, canary: CanaryTarget): Watched => {
    const { ref, salt, analysis, weightPercent } = canary
    const known = find(functionName, { canary: ref, salt })
    if (known !== null) {
      // Weights only rise, so a lower one is of a call that the next step overtook.
      if (weightPercent > known.step.weightPercent) {
        known.step = { weightPercent, callsBefore: callsOf(known.breaker.canary) }
      }
      return known
    }
    const breaker = createBreaker(analysis)
    const fresh: Watched = {
      release: ref.release,
      salt,
      breaker,
      since: nowIso(),
      step: { weightPercent, callsBefore: 0 },
      trip: null,
      get usualMs() {
        return breaker.usualMs
      },
      record: (sample) => {
        const trip = breaker.add(sample)
        // A long answer may end after another rollout has begun: that one is not to blame.
        if (trip === null || watched.get(functionName) !== fresh) return
        fresh.trip = toReportedTrip(trip, nowIso())
        onTrip(functionName, canary, fresh.trip)
      },
    }
    watched.set(functionName, fresh)
    return fresh
  }

  return {
    of: watch,
    isTripped: (functionName, rollout) => find(functionName, rollout)?.trip != null,
    reportOf: (functionName, rollout) => {
      const known = find(functionName, rollout)
      if (known === null) return null
      const { release, salt, since, breaker, step, trip } = known
      return {
        canary: release,
        salt,
        since,
        measured: { stable: { ...breaker.stable }, canary: { ...breaker.canary } },
        step,
        trip,
      }
    },
  }
}

function toReportedTrip(trip: BreakerTrip, at: string): ReportedTrip {
  // JSON has no infinity, which a certain loser can reach.
  return { ...trip, at, evidence: Math.min(trip.evidence, Number.MAX_VALUE) }
}
