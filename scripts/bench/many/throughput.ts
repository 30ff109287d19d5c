import { join } from 'node:path'
import { interval } from '../figure-table.ts'
import { type Contender, type Launch, measureRound, of } from '../measure-round.ts'
import { createSeededRandom } from '../seeded-random.ts'
import { type Estimate, estimateMedian, median, pairedRatios } from '../statistics.ts'
import type { Finding, MeasureOptions } from './finding.ts'
import type { ManyWorkspace } from './many-workspace.ts'

const names = ['needle', 'manyRoutes', 'manyRoutesAgain', 'oneRoute'] as const
type Name = (typeof names)[number]

export type ThroughputRound = Readonly<Record<Name, Launch>>

/** All functions of one BFF against as many routes written by hand, under the same uniform traffic. */
export async function measureThroughput(
  workspace: ManyWorkspace,
  { rounds, durationMs, warmUpMs, seed, onProgress }: MeasureOptions,
): Promise<ThroughputRound[]> {
  await workspace.select(1)
  const contenders = await contendersOf(workspace)
  const random = createSeededRandom(seed)
  const measured: ThroughputRound[] = []
  for (let index = 0; index < rounds; index++) {
    const launches = await measureRound(contenders, {
      warmUpMs,
      durationMs,
      open: null,
      random,
    })
    measured.push({
      needle: of(launches, 'needle'),
      manyRoutes: of(launches, 'manyRoutes'),
      manyRoutesAgain: of(launches, 'manyRoutesAgain'),
      oneRoute: of(launches, 'oneRoute'),
    })
    const line = names.map(
      (name) => `${name} ${Math.round(of(launches, name).requestsPerSecond)}/s`,
    )
    onProgress(`throughput, round ${index + 1} of ${rounds}: ${line.join(' · ')}`)
  }
  return measured
}

async function contendersOf(workspace: ManyWorkspace): Promise<Contender<Name>[]> {
  const { functions } = workspace
  const routes = <Route extends Name>(name: Route, count: number): Contender<Route> => ({
    name,
    server: serverFile('hand-written-many.ts'),
    asked: { what: 'many', functions: count, versions: [1] },
    env: { HANDLERS: workspace.handlersDirectory, FUNCTIONS: String(count) },
  })
  return [
    {
      name: 'needle',
      server: serverFile('needle.ts'),
      asked: { what: 'many', functions, versions: [1] },
      // One disk cache for all launches: they follow one another.
      env: { ...(await workspace.freshEnv()), LOAD_AHEAD: String(functions) },
    },
    routes('manyRoutes', functions),
    routes('manyRoutesAgain', functions),
    routes('oneRoute', 1),
  ]
}

function serverFile(name: string): string {
  return join(import.meta.dirname, '..', 'servers', name)
}

const goal = 0.92

export function judgeThroughput(
  rounds: readonly ThroughputRound[],
  {
    functions,
    warmUpMs,
    seed,
  }: Pick<MeasureOptions, 'warmUpMs' | 'seed'> & { readonly functions: number },
): Finding {
  const ratio = (above: Name, below: Name): Estimate =>
    estimateMedian(
      rounds.map((round) => median(pairedRatios(round[above].turns, round[below].turns))),
      { seed },
    )
  const middle = (name: Name, value: (launch: Launch) => number): number =>
    median(rounds.map((round) => value(round[name])))
  const cell = (name: Name): string =>
    `${Math.round(middle(name, (launch) => launch.requestsPerSecond))}/s, ${middle(name, (launch) => launch.cpuMicrosPerRequest ?? Number.NaN).toFixed(1)} µs CPU/request, ${Math.round(middle(name, (launch) => launch.rssBytes ?? Number.NaN) / 2 ** 20)} MB RSS`
  const perSecond = middle('needle', (launch) => launch.requestsPerSecond)
  const callsBefore = Math.round((perSecond * warmUpMs) / 1000 / functions)
  const ratios = {
    needleToManyRoutes: ratio('needle', 'manyRoutes'),
    needleToOneRoute: ratio('needle', 'oneRoute'),
    manyRoutesToOneRoute: ratio('manyRoutes', 'oneRoute'),
    noise: ratio('manyRoutesAgain', 'manyRoutes'),
  }
  const generatorBusy = Math.max(
    ...rounds.flatMap((round) => names.map((name) => round[name].generatorBusy)),
  )
  return {
    what: `throughput of ${functions} functions, to ${functions} hand-written routes`,
    goal: `lower bound at least ${goal}`,
    isMet: ratios.needleToManyRoutes.low >= goal,
    isPreliminary: rounds.length < 10,
    figure: interval(ratios.needleToManyRoutes),
    details: [
      `${rounds.length} fresh launches each, loaded by turns; every function loaded before (loadAhead ${functions}); uniform traffic`,
      `each function called some ${callsBefore} times in the ${warmUpMs / 1000} s before: V8 compiles what is called often, so seldom called code is slower, whoever carries it`,
      `needle to one hand-written route   ${interval(ratios.needleToOneRoute)}`,
      `the routes to one of them alone    ${interval(ratios.manyRoutesToOneRoute)}`,
      `the routes to themselves           ${interval(ratios.noise)}   the noise floor`,
      `needle ${cell('needle')}`,
      `routes ${cell('manyRoutes')}`,
      `one    ${cell('oneRoute')}`,
      `the load generator was busy for at most ${Math.round(generatorBusy * 100)} % of its time`,
    ],
    data: { ratios, rounds },
  }
}
