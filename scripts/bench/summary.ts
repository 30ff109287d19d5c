import { type Arm, armNames } from './arms.ts'
import type { Launch } from './measure-round.ts'
import { type Estimate, estimateMedian, median, pairedRatios, spreadPercent } from './statistics.ts'

/** One launch of every arm, close together in time. */
export type Round = Readonly<Record<Arm, Launch>>

export interface ArmSummary {
  readonly requestsPerSecond: number
  /** Fastest to slowest launch, in percent of the median. */
  readonly spreadPercent: number
  readonly cpuMicrosPerRequest: number
  readonly rssBytes: number
  /** Null when the open load was left out. */
  readonly openP50Ms: number | null
  readonly openP99Ms: number | null
}

export interface Summary {
  readonly rounds: number
  /** Medians over the rounds. */
  readonly arms: Readonly<Record<Arm, ArmSummary>>
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
  const ratio = (above: Arm, below: Arm): Estimate =>
    estimateMedian(
      rounds.map((round) => median(pairedRatios(round[above].turns, round[below].turns))),
      { seed },
    )
  const needle = ratio('needle', 'baseline')
  return {
    rounds: rounds.length,
    arms: {
      baseline: summariseArm(rounds, 'baseline'),
      baselineAgain: summariseArm(rounds, 'baselineAgain'),
      ajv: summariseArm(rounds, 'ajv'),
      needle: summariseArm(rounds, 'needle'),
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

function summariseArm(rounds: readonly Round[], arm: Arm): ArmSummary {
  const of = (value: (launch: Launch) => number): number[] =>
    rounds.map((round) => value(round[arm]))
  const open = rounds.flatMap((round) => round[arm].open ?? [])
  const perSecond = throughputs(rounds, arm)
  return {
    requestsPerSecond: median(perSecond),
    spreadPercent: spreadPercent(perSecond),
    cpuMicrosPerRequest: median(of((launch) => launch.cpuMicrosPerRequest)),
    rssBytes: median(of((launch) => launch.rssBytes)),
    openP50Ms: open.length === 0 ? null : median(open.map(({ p50Ms }) => p50Ms)),
    openP99Ms: open.length === 0 ? null : median(open.map(({ p99Ms }) => p99Ms)),
  }
}

function throughputs(rounds: readonly Round[], arm: Arm): number[] {
  return rounds.map((round) => round[arm].requestsPerSecond)
}
