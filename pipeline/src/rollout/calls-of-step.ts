import { callsOf, type ReportedRollout, type Rollout } from '@needle-faas/runtime/manifest'

/** Calls of a canary, probes included, as far as it is known in which step they were made. */
export interface StepCalls {
  /** Since the step began. */
  readonly ofStep: number
  /** Since the rollout began, on instances too old to say how many of them are of the step. */
  readonly ofAnyStep: number
}

/**
 * What an instance counted. Each says itself where the calls of its step begin, so that nobody else's
 * count changes them, and a new instance counts from nothing.
 */
export function stepCallsIn({ measured, step }: ReportedRollout, rollout: Rollout): StepCalls {
  const calls = callsOf(measured.canary)
  if (step === undefined) return { ofStep: 0, ofAnyStep: calls }
  // At another weight no call was made since: what it counts is of the steps before.
  const isOfStep = step.weightPercent === rollout.weightPercent
  return { ofStep: isOfStep ? calls - step.callsBefore : 0, ofAnyStep: 0 }
}

/**
 * How many of them were made in the step for certain. Of old instances only what exceeds all that the
 * whole fleet had counted when it began: that may have been theirs.
 */
export function countStepCalls({ ofStep, ofAnyStep }: StepCalls, rollout: Rollout): number {
  return ofStep + Math.max(0, ofAnyStep - (rollout.callsBefore ?? 0))
}
