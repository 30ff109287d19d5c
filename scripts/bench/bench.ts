/**
 * `npm run bench`: what the Needle plugin costs, as a throughput ratio to the same handler with the
 * same validation as a hand-written Fastify route. In every round each arm is a fresh process; they
 * share one core and are loaded by turns, in random order. Exit code 1 when it could not measure.
 */
import { cpus } from 'node:os'
import { parseArgs, styleText } from 'node:util'
import { armNames, arms } from './arms.ts'
import { measureRound, of, type RoundOptions } from './measure-round.ts'
import { canPin } from './program.ts'
import { printSummary } from './print-summary.ts'
import { publishFunction } from './publish-function.ts'
import { createSeededRandom } from './seeded-random.ts'
import { type Round, summarise } from './summary.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '20' },
    duration: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) {
  console.log(`npm run bench -- [options]
  --rounds N     fresh launches of each arm (20; at least 10 for a figure to quote)
  --duration S   seconds of each measurement, after as long a warm-up (2)
  --seed N       of the order and of the bootstrap (1)
  --json         one JSON document on standard output instead of the table`)
  process.exit(0)
}

const rounds = Number(values.rounds)
const durationMs = Number(values.duration) * 1000
const seed = Number(values.seed)
const progress = (text: string): void => console.error(styleText('dim', text))

const machine = {
  cpu: `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}`,
  node: process.version,
  pinned: canPin,
}
progress('Publishing the function')
const env = await publishFunction()
const options: RoundOptions = {
  env,
  warmUpMs: durationMs,
  durationMs,
  openRatePerSecond: null,
  random: createSeededRandom(seed),
}

progress('Finding the capacity')
const capacity = of(await measureRound(['baseline'], options), 'baseline').requestsPerSecond
const openRatePerSecond = Math.round(capacity / 2)

const measured: Round[] = []
for (let index = 0; index < rounds; index++) {
  const launches = await measureRound(armNames, { ...options, openRatePerSecond })
  const round: Round = {
    baseline: of(launches, 'baseline'),
    baselineAgain: of(launches, 'baselineAgain'),
    ajv: of(launches, 'ajv'),
    needle: of(launches, 'needle'),
  }
  measured.push(round)
  const line = armNames.map((arm) => `${arms[arm].label} ${perSecond(round[arm])}`)
  progress(`round ${index + 1} of ${rounds}: ${line.join(' · ')}`)
}

const summary = summarise(measured, seed)
if (values.json) {
  console.log(
    JSON.stringify({ machine, openRatePerSecond, seed, summary, rounds: measured }, null, 2),
  )
} else {
  printSummary({ machine, openRatePerSecond, summary })
}

function perSecond({ requestsPerSecond }: Round['baseline']): string {
  return `${Math.round(requestsPerSecond)}/s`
}
