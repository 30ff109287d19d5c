import type { ReportedSide, Rollout } from '@needle-faas/runtime/manifest'
import { type StepCalls, stepCallsIn } from './calls-of-step.ts'
import { differenceOf, noCalls } from './counts.ts'
import type { Pool, Witness } from './pool-reports.ts'

/** What a fleet, or a part of it, has to say for a canary. */
export interface Testimony {
  /** Instances heard of lately. */
  readonly live: number
  /** Those of them that run the step. */
  readonly voted: number
  /** Instances that ran the canary when they were last heard of. */
  readonly fellSilent: number
  /** Calls since the rollout began. */
  readonly stable: ReportedSide
  readonly canary: ReportedSide
  readonly stepCalls: StepCalls
}

/** Of everyone. */
export function testimonyOf({ evidence, silent, witnesses }: Pool, rollout: Rollout): Testimony {
  const { live, voted, stable, canary } = evidence
  let [ofStep, ofAnyStep] = [0, 0]
  for (const witness of witnesses) {
    const calls = stepCallsOf(witness, rollout)
    ofStep += calls.ofStep
    ofAnyStep += calls.ofAnyStep
  }
  const stepCalls = { ofStep, ofAnyStep }
  return { live, voted, fellSilent: silent.length, stable, canary, stepCalls }
}

/** Of everyone but this one. */
export function testimonyWithout(all: Testimony, witness: Witness, rollout: Rollout): Testimony {
  const { stable, canary } = witness.rollout?.measured ?? { stable: noCalls, canary: noCalls }
  const calls = stepCallsOf(witness, rollout)
  return {
    live: all.live - 1,
    voted: all.voted - (witness.votes ? 1 : 0),
    fellSilent: all.fellSilent,
    stable: differenceOf(all.stable, stable),
    canary: differenceOf(all.canary, canary),
    stepCalls: {
      ofStep: all.stepCalls.ofStep - calls.ofStep,
      ofAnyStep: all.stepCalls.ofAnyStep - calls.ofAnyStep,
    },
  }
}

function stepCallsOf({ rollout: own }: Witness, rollout: Rollout): StepCalls {
  return own === null ? { ofStep: 0, ofAnyStep: 0 } : stepCallsIn(own, rollout)
}
