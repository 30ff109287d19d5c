import { styleText } from 'node:util'
import { armNames } from './arms.ts'
import { figureTable, interval } from './figure-table.ts'
import { type Machine, machineLine } from './machine.ts'
import type { Summary } from './summary.ts'

export interface SummaryContext {
  readonly machine: Machine
  readonly summary: Summary
}

/** Prints the table, the ratios with their intervals, and whether the goal is met. */
export function printSummary({ machine, summary }: SummaryContext): void {
  const { rounds, ratios, warmUp, latency, generatorBusy, goal, goalMet } = summary
  const tooFew = rounds < 10 ? `, but ${rounds} rounds are too few to say so` : ''
  console.log(`
${machineLine(machine)}
${rounds} fresh launches per arm, loaded by turns in random order; medians
The load generator was busy for at most ${Math.round(generatorBusy * 100)} % of its time

${figureTable(armNames.map((arm) => [arm, summary.arms[arm]]))}
p50 and p99 with ${summary.arms.needle.openRatePerSecond} requests/s arriving at random (half of what the hand-written route had just done)

Throughput ratio, median of the rounds' pairs [95 % bootstrap interval]
  ${styleText('bold', `needle to hand-written         ${interval(ratios.needle)}`)}   same handler, same validation
  needle to hand-written, ajv    ${interval(ratios.needleToAjv)}   validates the input only
  hand-written to itself         ${interval(ratios.noise)}   the noise floor
  needle, while V8 compiles      ${interval(warmUp)}   to hand-written, in the warm-up
Goal of ${goal} ${verdict(goalMet, `the interval's lower end is ${ratios.needle.low.toFixed(3)}`)}${tooFew}`)
  if (latency === null) return
  console.log(`
Ratio of p99 at half load, median of the rounds' pairs [95 % bootstrap interval]
  ${styleText('bold', `needle to hand-written         ${interval(latency.needle)}`)}
  hand-written to itself         ${interval(latency.noise)}   the noise floor
Goal of at most ${latency.goal} ${verdict(latency.goalMet, `the interval's upper end is ${latency.needle.high.toFixed(3)}`)}${tooFew}`)
}

function verdict(isMet: boolean, why: string): string {
  return isMet ? styleText('green', `met: ${why}`) : styleText('red', `NOT met: ${why}`)
}
