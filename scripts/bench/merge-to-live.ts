/**
 * `npm run bench:merge`: how long from the merge of a change of one function among many to the first
 * request served by it, and from its revert to the first request served by the old code, through the
 * local deploy loop. The checks are reported apart. Exit code 1 when a goal is missed.
 */
import { styleText } from 'node:util'
import { commandLine, wholeNumber } from '../command-line.ts'
import { bindGoals, goalsInHelp } from '../goals.ts'
import { quantile } from './statistics.ts'
import { type LivePhase, measureTimeToLive, type TimeToLive } from './time-to-live.ts'

const values = commandLine(
  'npm run bench:merge',
  `How long from the merge of a change, and from its revert, to the first request it serves.

${goalsInHelp}`,
)
  .option('--functions <n>', 'functions in the repository, one changes', wholeNumber(1), 200)
  .option('--repetitions <n>', 'merges, each followed by its revert', wholeNumber(1), 10)
  .option('--poll <ms>', 'poll interval of the BFF', wholeNumber(50), 1000)
  .option('--json', 'one JSON document on standard output instead of the table')
  .parse()
  .opts<{ functions: number; repetitions: number; poll: number; json?: boolean }>()

const phaseNames = ['notice', 'plan', 'build', 'publish', 'arrive'] as const satisfies LivePhase[]
const { functions, repetitions, poll: pollIntervalMs } = values
const progress = (text: string): void => console.error(styleText('dim', text))
const lives = await measureTimeToLive({
  functions,
  repetitions,
  pollIntervalMs,
  onStep: progress,
  onLive: ({ kind, totalMs, checkMs, phases }) =>
    progress(
      `${kind.padEnd(6)} live after ${inSeconds(totalMs)} (checks ${inSeconds(checkMs)} apart): ${phaseNames.map((phase) => `${phase} ${inSeconds(phases[phase])}`).join(' · ')}`,
    ),
})

// The poll interval is spread by a quarter, so 1.25 of it is the longest wait for a poll.
const boundMs = { merge: 1.25 * pollIntervalMs + 2000, revert: 1.25 * pollIntervalMs + 1000 }
if (values.json) {
  console.log(JSON.stringify({ functions, pollIntervalMs, boundMs, lives }, null, 2))
} else {
  console.log(
    `\nOne function of ${functions} changed, poll interval ${inSeconds(pollIntervalMs)}, Node ${process.version}`,
  )
  for (const kind of ['merge', 'revert'] as const) {
    report(
      kind,
      lives.filter((live) => live.kind === kind),
    )
  }
}
bindGoals(
  (['merge', 'revert'] as const).map((kind) => ({
    what: `${kind} to live`,
    goal: `at most ${inSeconds(boundMs[kind])}`,
    isMet: lives.every((live) => live.kind !== kind || live.totalMs <= boundMs[kind]),
  })),
)

function report(kind: 'merge' | 'revert', measured: readonly TimeToLive[]): void {
  const totals = measured.map(({ totalMs }) => totalMs)
  const worst = quantile(totals, 1)
  const verdict =
    worst <= boundMs[kind]
      ? styleText('green', 'met by all')
      : styleText('red', `missed by ${totals.filter((total) => total > boundMs[kind]).length}`)
  const middle = (value: (live: TimeToLive) => number): string =>
    inSeconds(quantile(measured.map(value), 0.5))
  console.log(`${kind} to live, ${totals.length} times: p50 ${inSeconds(quantile(totals, 0.5))}, p95 ${inSeconds(quantile(totals, 0.95))}, max ${inSeconds(worst)}; bound ${inSeconds(boundMs[kind])} ${verdict}
  medians: ${phaseNames.map((phase) => `${phase} ${middle((live) => live.phases[phase])}`).join(' · ')}; checks, not counted: ${middle((live) => live.checkMs)}`)
}

function inSeconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(2)} s`
}
