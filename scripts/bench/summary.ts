import { type ArmSummary, estimateRatio, summariseArm } from './arm-summary.ts'
import { armNames } from './arms.ts'
import type { Launch } from './measure-round.ts'
import type { Estimate } from './statistics.ts'

type MainArm = (typeof armNames)[number]

/** One launch of every arm, close together in time. */
export type Round = Readonly<Record<MainArm, Launch>>

export interface Summary {
  readonly rounds: number
  /** Medians over the rounds. */
  readonly arms: Readonly<Record<MainArm, ArmSummary>>
  /** Throughput ratios: median of each round's turns, then the rounds' median with its 95 % interval. */
  readonly ratios: Readonly<Record<'needle' | 'needleToAjv' | 'noise', Estimate>>
  /** Highest share of its time the load generator ever had something to do. */
  readonly generatorBusy: number
  readonly goal: number
  readonly goalMet: boolean
}

/** The lower end of the interval of needle's throughput ratio to the hand-written route must reach this. */
export const goal = 0.92

export function summarise(rounds: readonly Round[], seed: number): Summary {
  const launches = (arm: MainArm): Launch[] => rounds.map((round) => round[arm])
  const ratio = (above: MainArm, below: MainArm): Estimate =>
    estimateRatio(launches(above), launches(below), seed)
  const needle = ratio('needle', 'baseline')
  return {
    rounds: rounds.length,
    arms: {
      baseline: summariseArm(launches('baseline')),
      baselineAgain: summariseArm(launches('baselineAgain')),
      ajv: summariseArm(launches('ajv')),
      needle: summariseArm(launches('needle')),
    },
    ratios: {
      needle,
      needleToAjv: ratio('needle', 'ajv'),
      noise: ratio('baselineAgain', 'baseline'),
    },
    generatorBusy: Math.max(
      ...rounds.flatMap((round) => armNames.map((arm) => round[arm].generatorBusy)),
    ),
    goal,
    goalMet: needle.low >= goal,
  }
}
