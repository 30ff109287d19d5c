import type { ArmSummary } from './arm-summary.ts'
import { type Arm, arms } from './arms.ts'
import type { Estimate } from './statistics.ts'

/** A line of figures per arm below a line of headings. */
export function figureTable(measured: readonly (readonly [Arm, ArmSummary])[]): string {
  return [
    row(['', 'requests/s', 'spread', 'CPU µs/request', 'p50 ms', 'p99 ms', 'RSS MB']),
    ...measured.map(([arm, summary]) => row([arms[arm].label, ...cells(summary)])),
  ].join('\n')
}

/** A median with its interval. */
export function interval({ median, low, high }: Estimate): string {
  return `${median.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}]`
}

function cells(arm: ArmSummary): string[] {
  return [
    String(Math.round(arm.requestsPerSecond)),
    `${arm.spreadPercent.toFixed(1)} %`,
    arm.cpuMicrosPerRequest?.toFixed(1) ?? '–',
    arm.openP50Ms?.toFixed(2) ?? '–',
    arm.openP99Ms?.toFixed(2) ?? '–',
    arm.rssBytes === null ? '–' : String(Math.round(arm.rssBytes / 2 ** 20)),
  ]
}

function row([label = '', ...figures]: readonly string[]): string {
  return [label.padEnd(20), ...figures.map((figure) => figure.padStart(15))].join('')
}
