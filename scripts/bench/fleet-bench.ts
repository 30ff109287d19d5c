/**
 * `npm run bench:fleet`: how fast a fleet converges. Two hundred runtimes on this machine poll a real
 * Ceph gateway; some are BFFs under load. Changes are published, bad canaries are caught, and
 * functions are stopped in an emergency. Exit code 1 when a goal is missed.
 */
import { join } from 'node:path'
import { styleText } from 'node:util'
import { commandLine, wholeNumber } from '../command-line.ts'
import { bindGoals, goalsInHelp } from '../goals.ts'
import { startCeph } from '../s3/start-ceph.ts'
import { startFleet } from './fleet/fleet.ts'
import { fleetFiles, fleetGroup } from './fleet/fleet-functions.ts'
import { startFleetLoad } from './fleet/fleet-load.ts'
import { openOperators } from './fleet/operators.ts'
import { judgeFleet, printFleetReport } from './fleet/print-fleet-report.ts'
import { measureSteady, playRound, type RoundResult } from './fleet/rounds.ts'
import { createWorkspace } from './workspace.ts'

const options = commandLine(
  'npm run bench:fleet',
  `How fast a fleet of BFFs converges.

${goalsInHelp}`,
)
  .option('--instances <n>', 'runtimes in all', wholeNumber(2), 200)
  .option('--serving <n>', 'of them, BFFs under load', wholeNumber(1), 4)
  .option('--rate <n>', 'requests per second on those together', wholeNumber(1), 120)
  .option('--poll <ms>', 'poll interval', wholeNumber(100), 2000)
  .option('--rounds <n>', 'of a change, a bad canary and an emergency stop', wholeNumber(1), 5)
  .option('--seed <n>', 'of arrivals, users and BFFs', wholeNumber(0), 1)
  .option('--json', 'one JSON document on standard output instead of the report')
  .parse()
  .opts<{
    instances: number
    serving: number
    rate: number
    poll: number
    rounds: number
    seed: number
    json?: boolean
  }>()

const progress = (text: string): void => console.error(styleText('dim', text))
const closers: (() => Promise<unknown>)[] = []
try {
  progress('Starting a Ceph gateway')
  const gateway = await startCeph()
  closers.unshift(() => gateway.stop())
  Object.assign(process.env, gateway.env)

  progress('Publishing two functions')
  const workspace = await createWorkspace('bench-fleet', fleetFiles('v0'))
  closers.unshift(() => workspace.close())
  await workspace.deployUnchecked('origin/main', 'First versions')

  progress(`Starting ${options.instances} runtimes`)
  const fleet = await startFleet({
    instances: options.instances,
    serving: options.serving,
    pollIntervalMs: options.poll,
    env: workspace.bffEnv(fleetGroup),
  })
  closers.unshift(() => fleet.close())
  await fleet.reached(1)

  const operators = await openOperators({
    cwd: workspace.directories.deploy,
    store: workspace.store,
    keys: join(workspace.directories.keys),
  })
  closers.unshift(() => operators.close())
  const load = startFleetLoad({
    ports: fleet.ports,
    ratePerSecond: options.rate,
    seed: options.seed,
  })
  closers.unshift(() => load.stop())

  progress('Counting store requests while nothing happens')
  const steady = await measureSteady(fleet)
  const rounds: RoundResult[] = []
  for (let number = 1; number <= options.rounds; number++) {
    const round = await playRound({ number, fleet, load, workspace, operators, progress })
    rounds.push(round)
  }
  const report = { options, steady, rounds }
  if (options.json === true) console.log(JSON.stringify(report, null, 2))
  else printFleetReport(report)
  bindGoals(judgeFleet(rounds))
} finally {
  for (const close of closers) await close()
}
