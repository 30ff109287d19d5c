/**
 * `npm run bench:many`: what a BFF with a thousand functions costs: throughput, the watchdog, heap,
 * the start, a change of all of them under load, and the longest turn of the event loop; each with
 * its goal. Exit code 1 when it could not measure.
 */
import { parseArgs, styleText } from 'node:util'
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

const { values } = parseArgs({
  options: {
    functions: { type: 'string', default: '1000' },
    rounds: { type: 'string', default: '10' },
    duration: { type: 'string', default: '2' },
    'warm-up': { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [] },
    fresh: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})

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

if (values.help) {
  console.log(`npm run bench:many -- [options]
  --functions N  functions of one BFF (1000)
  --rounds N     fresh launches for each figure (10); the watchdog is switched 30 times in one
  --duration S   seconds of each load that is measured (2)
  --warm-up S    seconds of load before that: a thousand functions take longer to compile than one (10)
  --only NAME    ${Object.keys(measurements).join(', ')}; may be repeated (all)
  --seed N       of orders and of the bootstrap (1)
  --fresh        publish the functions anew; else those of the last run are taken
  --json         one JSON document on standard output instead of the table

Publishing takes some minutes once. Servers have one core and the load generator the other.`)
  process.exit(0)
}

const unknown = values.only.filter((name) => !Object.hasOwn(measurements, name))
if (unknown.length > 0) {
  console.error(`There is no ${unknown.join(', ')}: ${Object.keys(measurements).join(', ')}`)
  process.exit(2)
}

const progress = (text: string): void => console.error(styleText('dim', text))
const functions = Number(values.functions)
const options: MeasureOptions = {
  rounds: Number(values.rounds),
  durationMs: Number(values.duration) * 1000,
  warmUpMs: Number(values['warm-up']) * 1000,
  seed: Number(values.seed),
  onProgress: progress,
}

const workspace = await openManyWorkspace({ functions, isFresh: values.fresh, onStep: progress })
const findings: Finding[] = []
try {
  for (const [name, measure] of Object.entries(measurements)) {
    if (values.only.length > 0 && !values.only.includes(name)) continue
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
