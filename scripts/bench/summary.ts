import type { Goal } from '../goals.ts'
import {
  type ArmSummary,
  estimateLatencyRatio,
  estimateRatio,
  estimateWarmUpRatio,
  summariseArm,
} from './arm-summary.ts'
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
  /** Ratio of the requests answered in the warm-up: what the time in which V8 compiles costs. */
  readonly warmUp: Estimate
  /** Ratios of the 99th percentiles at the open rate; null when it was left out. */
  readonly latency: {
    readonly needle: Estimate
    readonly noise: Estimate
    readonly goal: number
    readonly goalMet: boolean
  } | null
  /** Highest share of its time the load generator ever had something to do. */
  readonly generatorBusy: number
  readonly goal: number
  readonly goalMet: boolean
}

/** The lower end of the interval of needle's throughput ratio to the hand-written route must reach this. */
export const goal = 0.95

/** The upper end of the interval of needle's p99 at half load, to that of the hand-written route, must not be above this. */
export const latencyGoal = 1.25

export function summarise(rounds: readonly Round[], seed: number): Summary {
  const launches = (arm: MainArm): Launch[] => rounds.map((round) => round[arm])
  const ratio = (above: MainArm, below: MainArm): Estimate =>
    estimateRatio(launches(above), launches(below), seed)
  const needle = ratio('needle', 'baseline')
  const latencyRatio = (above: MainArm, below: MainArm): Estimate | null =>
    estimateLatencyRatio(launches(above), launches(below), seed)
  const slower = latencyRatio('needle', 'baseline')
  const latencyNoise = latencyRatio('baselineAgain', 'baseline')
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
    warmUp: estimateWarmUpRatio(launches('needle'), launches('baseline'), seed),
    latency: slower &&
      latencyNoise && {
        needle: slower,
        noise: latencyNoise,
        goal: latencyGoal,
        goalMet: slower.high <= latencyGoal,
      },
    generatorBusy: Math.max(
      ...rounds.flatMap((round) => armNames.map((arm) => round[arm].generatorBusy)),
    ),
    goal,
    goalMet: needle.low >= goal,
  }
}

export function goalsOf({ goal: ratio, goalMet, latency }: Summary): Goal[] {
  const goals: Goal[] = [
    {
      what: 'throughput ratio to the hand-written route',
      goal: `lower end at least ${ratio}`,
      isMet: goalMet,
    },
  ]
  if (latency === null) return goals
  const slower = { what: 'ratio of p99 at half load', isMet: latency.goalMet }
  return [...goals, { ...slower, goal: `upper end at most ${latency.goal}` }]
}
