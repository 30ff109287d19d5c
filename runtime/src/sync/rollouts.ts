import type { Digest } from '../manifest/digest.ts'
import type { ReportedRollout, ReportedTrip } from '../manifest/instance-report.ts'
import {
  type Breaker,
  type BreakerTrip,
  type CallSample,
  createBreaker,
} from '../rollout/breaker.ts'
import type { CanaryTarget, RolloutIdentity } from './plan-activation.ts'

/** The breakers of the rollouts that run here. Each lives as long as its rollout, whatever its weight. */
export interface Rollouts {
  /** Counts an answered call; tells `onTrip`, once, when the canary has been shown to be worse. */
  record(functionName: string, canary: CanaryTarget, sample: CallSample): void
  /** As `Breaker.usualMs`, of the rollout this canary belongs to. */
  usualMs(functionName: string, canary: CanaryTarget): number | null
  /** Whether the canary of this rollout was stopped here. */
  isTripped(functionName: string, rollout: RolloutIdentity): boolean
  /** What was measured of this rollout; null before the first call. */
  reportOf(functionName: string, rollout: RolloutIdentity): ReportedRollout | null
}

export interface RolloutsOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly onTrip: (functionName: string, canary: CanaryTarget, trip: ReportedTrip) => void
}

interface Watched {
  readonly release: Digest
  readonly salt: string
  readonly breaker: Breaker
  readonly since: string
  trip: ReportedTrip | null
}

export function createRollouts({ now, onTrip }: RolloutsOptions): Rollouts {
  const watched = new Map<string, Watched>()
  const nowIso = (): string => new Date(now()).toISOString()

  const find = (functionName: string, { canary, salt }: RolloutIdentity): Watched | null => {
    const known = watched.get(functionName)
    return known?.salt === salt && known.release === canary.release ? known : null
  }

  const watch = (functionName: string, { ref, salt, analysis }: CanaryTarget): Watched => {
    const known = find(functionName, { canary: ref, salt })
    if (known !== null) return known
    const breaker = createBreaker(analysis)
    const fresh = { release: ref.release, salt, breaker, since: nowIso(), trip: null }
    watched.set(functionName, fresh)
    return fresh
  }

  return {
    record: (functionName, canary, sample) => {
      const rollout = watch(functionName, canary)
      const trip = rollout.breaker.add(sample)
      if (trip === null) return
      rollout.trip = toReportedTrip(trip, nowIso())
      onTrip(functionName, canary, rollout.trip)
    },
    usualMs: (functionName, canary) => watch(functionName, canary).breaker.usualMs,
    isTripped: (functionName, rollout) => find(functionName, rollout)?.trip != null,
    reportOf: (functionName, rollout) => {
      const known = find(functionName, rollout)
      if (known === null) return null
      const { release, salt, since, breaker, trip } = known
      return {
        canary: release,
        salt,
        since,
        measured: { stable: { ...breaker.stable }, canary: { ...breaker.canary } },
        trip,
      }
    },
  }
}

function toReportedTrip(trip: BreakerTrip, at: string): ReportedTrip {
  // JSON has no infinity, which a certain loser can reach.
  return { ...trip, at, evidence: Math.min(trip.evidence, Number.MAX_VALUE) }
}
