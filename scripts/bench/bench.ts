/**
 * `npm run bench`: what the Needle plugin costs, as a throughput ratio to the same handler with the
 * same validation as a hand-written Fastify route. In every round each arm is a fresh process; they
 * share one core and are loaded by turns, in random order. With `--peers` the other arms are what else
 * would serve the same function. Exit code 1 when a goal is missed.
 */
import { styleText } from 'node:util'
import { commandLine, seconds, wholeNumber } from '../command-line.ts'
import { bindGoals, goalsInHelp } from '../goals.ts'
import { type Arm, armNames, arms, toContender } from './arms.ts'
import { buildRuntime } from './build-runtime.ts'
import { thisMachine } from './machine.ts'
import { type Launch, measureRound, of, type RoundOptions } from './measure-round.ts'
import { installPeers } from './peers/install-peers.ts'
import { assertServes, type TriedPeers, tryPeers } from './peers/try-peers.ts'
import { goalsOfPeers, summarisePeers } from './peers-summary.ts'
import { printPeersSummary } from './print-peers-summary.ts'
import { printSummary } from './print-summary.ts'
import { publishFunction } from './publish-function.ts'
import { createSeededRandom } from './seeded-random.ts'
import { goalsOf, type Round, summarise } from './summary.ts'

/**
 * How much longer than throughput all else takes. Of that there are twenty slices of 100 ms, as a
 * launch is told by their median, and one slice by another's moods.
 *
 * V8 compiles for a second and a half, longer the more code there is: in the halves of its first
 * seconds under load Needle made 0.97, 0.79, 0.91, 0.97 and from then on 0.96 to 0.98 of what the
 * hand-written route did (medians of 16 launches). So throughput is measured after three seconds;
 * what is made in these is told apart.
 *
 * A 99th percentile is told by few requests: of the same program it differed by 25 % from launch to
 * launch after two seconds of load, by 16 % after four (standard deviations of the logarithm).
 */
const factors = { warmUp: 1.5, open: { main: 3, peers: 1 } }

const values = commandLine(
  'npm run bench',
  `What the Needle plugin costs, against the same handler and validation in hand-written Fastify.

${goalsInHelp}`,
)
  .option(
    '--rounds <n>',
    'fresh launches of each arm, at least 10 for a figure to quote',
    wholeNumber(1),
    30,
  )
  .option(
    '--duration <s>',
    `seconds in which throughput is measured; the warm-up before takes ${factors.warmUp} times as long, latency ${factors.open.main} times, with --peers as long`,
    seconds,
    2,
  )
  .option('--seed <n>', 'of the order and of the bootstrap', wholeNumber(0), 1)
  .option(
    '--peers',
    'compare with functions-framework, Watt, workerd, isolated-vm and piscina instead; installs them below scripts/bench/peers the first time',
  )
  .option('--json', 'one JSON document on standard output instead of the table')
  .parse()
  .opts<{ rounds: number; duration: number; seed: number; peers?: boolean; json?: boolean }>()

const { rounds, seed } = values
const durationMs = values.duration * 1000
const progress = (text: string): void => console.error(styleText('dim', text))

progress('Building the runtime, publishing the function')
buildRuntime()
const env = await publishFunction()
const peers = values.peers ? await preparePeers() : null
const options: RoundOptions<Arm> = {
  warmUpMs: durationMs * factors.warmUp,
  durationMs,
  open: {
    of: 'baseline',
    // Slower peers are to keep up as well: waiting for one that does not says nothing of a request.
    share: peers === null ? 1 / 2 : 1 / 8,
    durationMs: durationMs * (peers === null ? factors.open.main : factors.open.peers),
  },
  random: createSeededRandom(seed),
}

const measured: ReadonlyMap<Arm, Launch>[] = []
const names: readonly Arm[] = peers === null ? armNames : ['baseline', 'needle', ...peers.able]
const contenders = names.map((arm) => toContender(arm, env))
for (let index = 0; index < rounds; index++) {
  const launches = await measureRound(contenders, options)
  measured.push(launches)
  const line = names.map((arm) => `${arms[arm].label} ${perSecond(of(launches, arm))}`)
  progress(`round ${index + 1} of ${rounds}: ${line.join(' · ')}`)
}

const context = { machine: thisMachine() }
if (peers === null) {
  const mainRounds = measured.map(toRound)
  const summary = summarise(mainRounds, seed)
  if (values.json) printJson({ ...context, seed, summary, rounds: mainRounds })
  else printSummary({ ...context, summary })
  bindGoals(goalsOf(summary))
} else {
  const summary = summarisePeers(measured, peers.able, seed)
  const { unable } = peers
  const peerRounds = measured.map((launches) => Object.fromEntries(launches))
  if (values.json) printJson({ ...context, seed, summary, unable, rounds: peerRounds })
  else printPeersSummary({ ...context, summary, unable })
  bindGoals(goalsOfPeers(summary))
}

async function preparePeers(): Promise<TriedPeers> {
  await installPeers(() => progress('Installing the peers (only now, about 350 MB)'))
  progress('Trying the peers')
  // What holds for a peer must hold for those it is compared with.
  for (const arm of ['baseline', 'needle'] as const) await assertServes(arm, env)
  const tried = await tryPeers(env)
  for (const { peer, reason } of tried.unable) {
    console.error(styleText('red', `${arms[peer].label} cannot run here: ${reason}`))
  }
  return tried
}

function toRound(launches: ReadonlyMap<Arm, Launch>): Round {
  return {
    baseline: of(launches, 'baseline'),
    baselineAgain: of(launches, 'baselineAgain'),
    ajv: of(launches, 'ajv'),
    needle: of(launches, 'needle'),
  }
}

function printJson(document: object): void {
  console.log(JSON.stringify(document, null, 2))
}

function perSecond({ requestsPerSecond }: Launch): string {
  return `${Math.round(requestsPerSecond)}/s`
}
