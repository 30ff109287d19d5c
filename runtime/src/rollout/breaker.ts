import type { AnalysisLimits } from '../manifest/analysis-limits.ts'
import type { Side } from './choose-side.ts'
import { createDurationSketch } from './duration-sketch.ts'
import { createSequentialTest } from './sequential-test.ts'

/** One answered call of a function that has a canary. */
export interface CallSample {
  readonly side: Side
  /** Whether the function, not its caller, is to blame for it. */
  readonly isFault: boolean
  /** To the answer, or to the head of a streaming one; null when it says nothing, as of the first calls of a revision. */
  readonly durationMs: number | null
  /** Made by the platform, with the same input to both sides, instead of by a user. Default false. */
  readonly isProbe?: boolean
}

/** Calls of one side since the rollout began here. */
export interface SideCount {
  readonly calls: number
  readonly faults: number
  /** Calls that took longer than `slowLimitMs` said at the time. */
  readonly slow: number
  /** Calls the platform made, counted nowhere else. Absent: none. */
  readonly probes?: { readonly calls: number; readonly faults: number } | undefined
}

/** Why a canary was stopped here, and on what evidence. */
export interface BreakerTrip {
  readonly cause: 'errors' | 'latency'
  readonly stable: SideCount
  readonly canary: SideCount
  /** Above which a call counted as slow; null while too few calls of stable were seen. */
  readonly slowLimitMs: number | null
  /** At least 1 / `tripProbability`. */
  readonly evidence: number
}

/** Watches the calls of both sides while a rollout runs, in the process that serves them. */
export interface Breaker {
  readonly stable: SideCount
  readonly canary: SideCount
  /** How long a call of stable usually takes at most; null while too few were seen. */
  readonly usualMs: number | null
  /** Once: when the canary has been shown to be worse. */
  add(sample: CallSample): BreakerTrip | null
}

/** Chance that either of the two tests ever stops a canary that is no worse: 1 in 10,000 rollouts. */
export const tripProbability = 1e-4

/** How often what is slow is worked out, in calls of stable; nothing is slow before the first time. */
const callsPerLimit = 64

/** Part of the evidence on errors that probes may give; what is left is given by the calls of users. */
const probeStake = 0.05

interface Counting {
  calls: number
  faults: number
  slow: number
  probes?: SideCount['probes']
}

/**
 * Compares errors and latency of canary and stable with a sequential test each, see
 * `createSequentialTest`. What is slow follows stable: more than `latencyFactor` times its own
 * quantile, so that a shared slowness slows both sides and is no evidence either.
 *
 * Probes are compared with probes alone: half of them go to the canary, whatever its weight, so that
 * beside few calls of users a probe that fails on both sides would look like a bad canary. A mean of
 * evidences is evidence.
 */
export function createBreaker(limits: AnalysisLimits): Breaker {
  const errors = createSequentialTest(limits.errorRise)
  const slowness = createSequentialTest(limits.slowRise)
  const durations = createDurationSketch()
  const probeErrors = createSequentialTest(limits.errorRise)
  const counts: Record<Side, Counting> = {
    stable: { calls: 0, faults: 0, slow: 0 },
    canary: { calls: 0, faults: 0, slow: 0 },
  }
  let usualMs: number | null = null
  let slowLimitMs: number | null = null
  let isTripped = false

  const trip = (cause: BreakerTrip['cause'], evidence: number): BreakerTrip => {
    isTripped = true
    const { stable, canary } = counts
    return { cause, stable: { ...stable }, canary: { ...canary }, slowLimitMs, evidence }
  }

  const decide = (): BreakerTrip | null => {
    if (isTripped) return null
    const onErrors = (1 - probeStake) * errors.evidence + probeStake * probeErrors.evidence
    // Each of the two tests has half of the chance to be wrong.
    if (onErrors >= 2 / tripProbability) return trip('errors', onErrors)
    if (slowness.evidence >= 2 / tripProbability) return trip('latency', slowness.evidence)
    return null
  }

  return {
    stable: counts.stable,
    canary: counts.canary,
    get usualMs() {
      return usualMs
    },
    add: ({ side, isFault, durationMs, isProbe = false }) => {
      const count = counts[side]
      if (isProbe) {
        const { calls, faults } = count.probes ?? { calls: 0, faults: 0 }
        count.probes = { calls: calls + 1, faults: isFault ? faults + 1 : faults }
        probeErrors.add(side, isFault)
        return decide()
      }
      count.calls += 1
      if (isFault) count.faults += 1
      errors.add(side, isFault)
      // How fast a failure comes says nothing of how fast an answer would.
      if (!isFault && durationMs !== null && slowLimitMs !== null) {
        const isSlow = durationMs > slowLimitMs
        if (isSlow) count.slow += 1
        slowness.add(side, isSlow)
      }
      if (side === 'stable' && !isFault && durationMs !== null) {
        durations.add(durationMs)
        if (durations.count % callsPerLimit === 0) {
          usualMs = durations.quantile(limits.latencyQuantile)
          slowLimitMs =
            usualMs + Math.max(usualMs * (limits.latencyFactor - 1), limits.latencyToleranceMs)
        }
      }
      return decide()
    },
  }
}
