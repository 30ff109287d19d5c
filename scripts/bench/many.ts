/**
 * `npm run bench:many`: what a BFF with a thousand functions costs: throughput, the watchdog, heap,
 * the start, a change of all of them under load, and the longest turn of the event loop; each with
 * its goal. Exit code 1 when a goal is missed.
 */
import { styleText } from 'node:util'
import { Option } from 'commander'
import { commandLine, seconds, wholeNumber } from '../command-line.ts'
import { bindGoals, goalsInHelp } from '../goals.ts'
import { buildRuntime } from './build-runtime.ts'
import { machineLine, thisMachine } from './machine.ts'
import type { Finding, MeasureOptions } from './many/finding.ts'
import { judgeHeap, measureHeap } from './many/heap.ts'
import { type ManyWorkspace, openManyWorkspace } from './many/many-workspace.ts'
import { printFindings } from './many/print-findings.ts'
import { judgeSlices, measureSlices } from './many/slices.ts'
import { judgeStart, measureStart } from './many/start.ts'
import { judgeSwap, measureSwap } from './many/swap.ts'
import { judgeThroughput, measureThroughput } from './many/throughput.ts'
import { judgeWatchdog, measureWatchdog } from './many/watchdog.ts'

/** In the order in which they are measured. */
const measurements: Readonly<
  Record<string, (workspace: ManyWorkspace, options: MeasureOptions) => Promise<Finding[]>>
> = {
  throughput: async (workspace, options) => [
    judgeThroughput(await measureThroughput(workspace, options), { ...workspace, ...options }),
  ],
  watchdog: async (workspace, options) => [
    judgeWatchdog(await measureWatchdog(workspace, options), options),
  ],
  heap: async (workspace, options) => judgeHeap(await measureHeap(workspace, options), workspace),
  start: async (workspace, options) => [
    judgeStart(await measureStart(workspace, options), workspace),
  ],
  swap: async (workspace, options) => [judgeSwap(await measureSwap(workspace, options), workspace)],
  slices: async (workspace, options) => [
    judgeSlices(await measureSlices(workspace, options), workspace),
  ],
}

const values = commandLine(
  'npm run bench:many',
  `What a BFF with a thousand functions costs.

Publishing takes some minutes once. Servers have one core and the load generator the other.

${goalsInHelp}`,
)
  .option('--functions <n>', 'functions of one BFF', wholeNumber(1), 1000)
  .option(
    '--rounds <n>',
    'fresh launches for each figure; the watchdog is switched 300 times in one',
    wholeNumber(1),
    10,
  )
  .option('--duration <s>', 'seconds of each load that is measured', seconds, 2)
  .option(
    '--warm-up <s>',
    'seconds of load before that: a thousand functions take longer to compile than one',
    seconds,
    10,
  )
  .addOption(new Option('--only <names...>', 'not all of it').choices(Object.keys(measurements)))
  .option('--seed <n>', 'of orders and of the bootstrap', wholeNumber(0), 1)
  .option('--fresh', 'publish the functions anew; else those of the last run are taken')
  .option('--json', 'one JSON document on standard output instead of the table')
  .parse()
  .opts<{
    functions: number
    rounds: number
    duration: number
    warmUp: number
    only?: string[]
    seed: number
    fresh?: boolean
    json?: boolean
  }>()

const progress = (text: string): void => console.error(styleText('dim', text))
const { functions } = values
const options: MeasureOptions = {
  rounds: values.rounds,
  durationMs: values.duration * 1000,
  warmUpMs: values.warmUp * 1000,
  seed: values.seed,
  onProgress: progress,
}

buildRuntime()
const workspace = await openManyWorkspace({
  functions,
  isFresh: values.fresh ?? false,
  onStep: progress,
})
const findings: Finding[] = []
try {
  for (const [name, measure] of Object.entries(measurements)) {
    if (values.only?.includes(name) === false) continue
    findings.push(...(await measure(workspace, options)))
  }
} finally {
  await workspace.close()
}

if (values.json) {
  const { rounds, seed } = options
  console.log(
    JSON.stringify({ machine: thisMachine(), functions, rounds, seed, findings }, null, 2),
  )
} else {
  console.log(`\n${machineLine(thisMachine())}`)
  printFindings(findings)
}
bindGoals(findings)
