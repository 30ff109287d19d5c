import { styleText } from 'node:util'
import { type ArmSummary, type Summary } from './summary.ts'
import { armNames, arms } from './arms.ts'
import type { Estimate } from './statistics.ts'

export interface SummaryContext {
  readonly machine: { readonly cpu: string; readonly node: string; readonly pinned: boolean }
  readonly openRatePerSecond: number
  readonly summary: Summary
}

/** Prints the table, the ratios with their intervals, and whether the goal is met. */
export function printSummary({ machine, openRatePerSecond, summary }: SummaryContext): void {
  const pinning = machine.pinned ? 'servers on one core, load on another' : 'processes not pinned'
  const { rounds, ratios, generatorBusy, goal, goalMet } = summary
  const verdict = goalMet
    ? styleText('green', `met: the interval's lower end is ${ratios.needle.low.toFixed(3)}`)
    : styleText('red', `NOT met: the interval's lower end is ${ratios.needle.low.toFixed(3)}`)
  console.log(`
${machine.cpu}, Node ${machine.node}, ${pinning}
${rounds} fresh launches per arm, loaded by turns in random order; medians
The load generator was busy for at most ${Math.round(generatorBusy * 100)} % of its time

${row(['', 'requests/s', 'spread', 'CPU µs/request', 'p50 ms', 'p99 ms', 'RSS MB'])}
${armNames.map((arm) => row([arms[arm].label, ...cells(summary.arms[arm])])).join('\n')}
p50 and p99 with ${openRatePerSecond} requests/s arriving at random (half of what the hand-written route can do)

Throughput ratio, median of the rounds' pairs [95 % bootstrap interval]
  ${styleText('bold', `needle to hand-written         ${interval(ratios.needle)}`)}   same handler, same validation
  needle to hand-written, ajv    ${interval(ratios.needleToAjv)}   validates the input only
  hand-written to itself         ${interval(ratios.noise)}   the noise floor
Goal of ${goal} ${verdict}${rounds < 10 ? `, but ${rounds} rounds are too few to say so` : ''}`)
}

function cells(arm: ArmSummary): string[] {
  return [
    String(Math.round(arm.requestsPerSecond)),
    `${arm.spreadPercent.toFixed(1)} %`,
    arm.cpuMicrosPerRequest.toFixed(1),
    arm.openP50Ms?.toFixed(2) ?? '–',
    arm.openP99Ms?.toFixed(2) ?? '–',
    String(Math.round(arm.rssBytes / 2 ** 20)),
  ]
}

function row([label = '', ...figures]: readonly string[]): string {
  return [label.padEnd(20), ...figures.map((figure) => figure.padStart(15))].join('')
}

function interval({ median, low, high }: Estimate): string {
  return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}
