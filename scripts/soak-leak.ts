/**
 * `npm run soak:leak`: loads, calls and disposes of a function of 2 MB that never clears its timers or
 * listeners, over and over, and tells what of its memory stays. Exit code 1 when a goal is missed.
 */
import { styleText } from 'node:util'
import { judgeSwapLeak, runSwapLeak } from '../runtime/src/function/testing/run-swap-leak.ts'
import { commandLine, wholeNumber } from './command-line.ts'
import { bindGoals, goalsInHelp } from './goals.ts'

const { swaps } = commandLine(
  'npm run soak:leak',
  `What stays in memory of functions of 2 MB that were replaced, after garbage collections.

${goalsInHelp}`,
)
  .option('--swaps <n>', 'of one process, after 40 that are not counted', wholeNumber(10), 500)
  .parse()
  .opts<{ swaps: number }>()

const series = await runSwapLeak(swaps)
for (const { afterSwaps, heapMb, externalMb, rssMb, contexts } of series) {
  console.log(
    `after ${String(afterSwaps).padStart(5)} swaps  heap ${heapMb.toFixed(2)} MB, outside of it ${externalMb.toFixed(2)} MB, RSS ${rssMb.toFixed(1)} MB, contexts ${contexts}`,
  )
}
console.log('')
const findings = judgeSwapLeak(series)
for (const { what, goal, isMet, figure } of findings) {
  const verdict = isMet ? styleText('green', 'met') : styleText('red', 'NOT met')
  console.log(`${what}: ${figure}   goal ${goal}: ${verdict}`)
}
bindGoals(findings)
