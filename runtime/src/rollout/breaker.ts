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
}

/** Calls of one side since the rollout began here. */
export interface SideCount {
  readonly calls: number
  readonly faults: number
  /** Calls that took longer than `slowLimitMs` said at the time. */
  readonly slow: number
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

/**
 * Compares errors and latency of canary and stable with a sequential test each, see
 * `createSequentialTest`. What is slow follows stable: more than `latencyFactor` times its own
 * quantile, so that a shared slowness slows both sides and is no evidence either.
 */
export function createBreaker(limits: AnalysisLimits): Breaker {
  const errors = createSequentialTest(limits.errorRise)
  const slowness = createSequentialTest(limits.slowRise)
  const durations = createDurationSketch()
  const counts = {
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

  return {
    stable: counts.stable,
    canary: counts.canary,
    get usualMs() {
      return usualMs
    },
    add: ({ side, isFault, durationMs }) => {
      const count = counts[side]
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
      if (isTripped) return null
      // Each of the two tests has half of the chance to be wrong.
      if (errors.evidence >= 2 / tripProbability) return trip('errors', errors.evidence)
      if (slowness.evidence >= 2 / tripProbability) return trip('latency', slowness.evidence)
      return null
    },
  }
}
