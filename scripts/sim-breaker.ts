/**
 * `npm run sim:breaker`: plays thousands of rollouts from seeds and tells how often the breaker
 * stops a canary that is no worse, and how soon one that is. Exit code 1 when a goal is missed.
 */
import { styleText } from 'node:util'
import { defaultAnalysisLimits } from '@needle-faas/runtime/manifest'
import { tripProbability } from '@needle-faas/runtime/rollout'
import { quantile } from './bench/statistics.ts'
import { commandLine, wholeNumber } from './command-line.ts'
import { bindGoals, type Goal, goalsInHelp } from './goals.ts'
import { playRollouts, type Played } from './sim/play-rollouts.ts'
import { harmful, harmless } from './sim/scenarios.ts'

const { rollouts, seed, json } = commandLine(
  'npm run sim:breaker',
  `How often the breaker stops a canary that is no worse, and how soon one that is.

Each rollout has 10,000 requests; the canary gets 10 % of them where nothing else is said.

${goalsInHelp}`,
)
  .option('--rollouts <n>', 'of each scenario, each from a seed of its own', wholeNumber(1), 4000)
  .option('--seed <n>', 'of the first rollout', wholeNumber(0), 1)
  .option('--json', 'one JSON document on standard output instead of the table')
  .parse()
  .opts<{ rollouts: number; seed: number; json?: boolean }>()

const played: Played[] = []
for (const scenario of [...harmless, ...harmful]) {
  console.error(styleText('dim', `${scenario.name}, ${rollouts} rollouts`))
  played.push(playRollouts(scenario, { rollouts, seed, limits: defaultAnalysisLimits }))
}
const rows = played.map(toRow)

if (json === true) {
  console.log(JSON.stringify({ seed, limits: defaultAnalysisLimits, rows }, null, 2))
} else {
  console.log(
    `\n${rollouts} rollouts of 10,000 requests each, seed ${seed}; chance of a wrong stop by design at most ${tripProbability} a rollout\n`,
  )
  for (const { what, figure, goal, isMet } of rows) {
    const verdict =
      goal === null
        ? ''
        : isMet === true
          ? styleText('green', `${goal}: met`)
          : styleText('red', `${goal}: missed`)
    console.log(`${what.padEnd(66)} ${figure.padEnd(58)} ${verdict}`.trimEnd())
  }
}
bindGoals(rows)

interface Row extends Goal {
  readonly figure: string
  readonly cutOff: number
  readonly early: number
  readonly canaryCalls: { readonly p50: number; readonly p95: number; readonly max: number } | null
}

function toRow({ scenario, rollouts: count, canaryCalls, early }: Played): Row {
  const { name: what } = scenario
  const cutOff = canaryCalls.length
  const spread =
    cutOff === 0
      ? null
      : {
          p50: quantile(canaryCalls, 0.5),
          p95: quantile(canaryCalls, 0.95),
          max: quantile(canaryCalls, 1),
        }
  const row = { what, cutOff, early, canaryCalls: spread }
  if (scenario.expected === 'goes on') {
    const bound = upperBound(cutOff, count)
    return {
      ...row,
      figure: `stopped ${cutOff} of ${count}, the 95 % bound is ${(bound * 100).toFixed(3)} %`,
      goal: 'at most 0.1 %',
      isMet: bound <= 0.001,
    }
  }
  const within = scenario.withinCalls ?? null
  return {
    ...row,
    figure:
      spread === null
        ? `stopped 0 of ${count}`
        : `stopped ${cutOff} of ${count} after ${Math.round(spread.p50)} canary calls, p95 ${Math.ceil(spread.p95)}${early > 0 ? `, ${early} before it was bad` : ''}`,
    goal: within === null ? null : `p95 at most ${within}`,
    isMet: within === null ? null : cutOff === count && spread !== null && spread.p95 <= within,
  }
}

/** One-sided 95 % bound of Clopper and Pearson for a share of which `count` of `total` were seen. */
function upperBound(count: number, total: number): number {
  let [low, high] = [count / total, 1]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (chanceOfAtMost(count, total, middle) > 0.05) low = middle
    else high = middle
  }
  return high
}

/** Of a binomial variable. */
function chanceOfAtMost(count: number, total: number, share: number): number {
  let term = Math.exp(total * Math.log1p(-share))
  let sum = term
  for (let index = 1; index <= count; index++) {
    term *= ((total - index + 1) / index) * (share / (1 - share))
    sum += term
  }
  return sum
}
