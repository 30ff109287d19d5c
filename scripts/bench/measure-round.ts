import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { type Asked, exchangesOf } from './asked.ts'
import { assertRight, type LoadOrder, startLoadGenerator } from './load-generator.ts'
import { type Program, startProgram } from './program.ts'
import { type LoadResult, runLoad } from './http-load.ts'
import { shuffled } from './seeded-random.ts'
import { type ServerUsage, usageOf } from './server-usage.ts'
import { median, quantile } from './statistics.ts'

/** One of the servers that are compared in a round. */
export interface Contender<Name extends string> {
  readonly name: Name
  /** Path of its program, which announces itself (see `servers/announce.ts`). */
  readonly server: string
  readonly asked: Asked
  readonly env?: Readonly<Record<string, string>>
  readonly nodeOptions?: readonly string[]
}

export interface RoundOptions<Name extends string> {
  /** Of each arm before anything is measured, its slices together. */
  readonly warmUpMs: number
  /** Of each arm, all its slices together. */
  readonly durationMs: number
  /**
   * The second measurement, of latency: its requests arrive whether or not the server keeps up, at this
   * share of what one of the contenders has just done under full load. (A shared machine works at half
   * its speed from one minute to the next: half of what was possible a while ago may be all that is.)
   * Its duration is that of an arm, too. Null leaves it out.
   */
  readonly open: {
    readonly of: Name
    readonly share: number
    readonly durationMs: number
  } | null
  /** Orders the arms within each turn. */
  readonly random: () => number
}

/** What one fresh process did. */
export interface Launch {
  /** Median of the slices. */
  readonly requestsPerSecond: number
  /** Requests per second of each slice, in the order of the turns: those of one turn compare best. */
  readonly turns: readonly number[]
  /** Processor time of the server per request, under full load; null where it cannot be read. */
  readonly cpuMicrosPerRequest: number | null
  readonly rssBytes: number | null
  /** Requests answered in the warm-up: what it did while V8 compiled it. */
  readonly warmUpRequests: number
  /** Share of its time the load generator had something to do, 0–1, the highest of the slices. */
  readonly generatorBusy: number
  /** Latency at the open rate, of the quieter half of the slices; null when it was left out. */
  readonly open: {
    readonly ratePerSecond: number
    readonly p50Ms: number
    readonly p99Ms: number
  } | null
}

export const connections = 64
/** Short, so that the arms of a turn meet the machine in one mood. */
const sliceMs = 100
/** A thousand functions may be loaded before it listens. */
const startTimeoutMs = 60_000

/**
 * Starts a fresh server per contender, all on one core, and a load generator on the other; then loads the
 * servers by turns, a slice each, so that all meet the machine in the same moods. A server that
 * has not its turn is idle. (Servers measured one after another differed by up to 87 % on a shared
 * machine although they were the same program.) Connections stay open from turn to turn and the
 * warm-up goes by turns too: V8 throws its compiled code away when it collects garbage while no
 * connection holds the objects the code was made for, and whoever met that in the first turns was
 * measured while compiling.
 *
 * @throws Error when any answer is wrong: a fast server that answers wrongly is not fast
 */
export async function measureRound<Name extends string>(
  contenders: readonly Contender<Name>[],
  options: RoundOptions<Name>,
): Promise<Map<Name, Launch>> {
  const generator = startLoadGenerator()
  const servers: RunningServer<Name>[] = []
  try {
    // In random order, too: the first to be started and warmed up was slower than its twin.
    for (const contender of shuffled(contenders, options.random)) {
      servers.push(await startServer(contender))
    }
    const load = async (
      { name, port, asked }: RunningServer<Name>,
      order: Pick<LoadOrder, 'durationMs' | 'ratePerSecond'>,
    ) => assertRight(name, await generator.run({ port, asked, connections, ...order }))
    const slice = (server: RunningServer<Name>, durationMs: number) => load(server, { durationMs })
    const warmUp = await takeTurns(servers, { ...options, durationMs: options.warmUpMs }, slice)

    const before = await usagesOf(servers)
    const closed = await takeTurns(servers, options, slice)
    const after = await usagesOf(servers)
    const openLoad = options.open && {
      ratePerSecond: Math.round(fullRate(of(closed, options.open.of)) * options.open.share),
      durationMs: options.open.durationMs,
    }
    const open =
      openLoad &&
      (await takeTurns(servers, { ...options, ...openLoad }, (server, sliceMs) =>
        load(server, { ...openLoad, durationMs: sliceMs }),
      ))
    const launches = new Map<Name, Launch>()
    for (const { name } of servers) {
      const cpuMs = difference(of(after, name).cpuMs, of(before, name).cpuMs)
      const slices = of(closed, name)
      launches.set(name, {
        ...summariseClosed(slices, cpuMs),
        warmUpRequests: totalAnswered(of(warmUp, name)),
        rssBytes: of(after, name).rssBytes,
        open: open && { ratePerSecond: openLoad.ratePerSecond, ...summariseOpen(of(open, name)) },
      })
    }
    return launches
  } finally {
    await generator.close()
    for (const { program } of servers) await program.close()
  }
}

export interface RunningServer<Name extends string> {
  readonly name: Name
  readonly asked: Asked
  readonly program: Program
  readonly port: number
}

/**
 * Starts the contender's server, with the runtime as `buildRuntime` made it, and waits for its first
 * right answer.
 *
 * @throws Error when it ends or is not there in time; it is stopped then
 */
export async function startServer<Name extends string>({
  name,
  server,
  asked,
  env = {},
  nodeOptions = [],
}: Contender<Name>): Promise<RunningServer<Name>> {
  const program = startProgram(server, { core: 0, env, nodeOptions, isBuilt: true })
  try {
    const { port } = await program.receive(z.object({ port: z.int() }), {
      withinMs: startTimeoutMs,
    })
    await untilReady(port, asked)
    return { name, asked, program, port }
  } catch (error) {
    await program.close({ graceMs: 5000 })
    throw error
  }
}

/** Every server once per turn, in an order of its own each time. */
async function takeTurns<Name extends string, Result>(
  servers: readonly RunningServer<Name>[],
  { durationMs, random }: Pick<RoundOptions<Name>, 'durationMs' | 'random'>,
  slice: (server: RunningServer<Name>, durationMs: number) => Promise<Result>,
): Promise<Map<Name, Result[]>> {
  const results = new Map(servers.map(({ name }) => [name, [] as Result[]]))
  const turns = Math.max(1, Math.round(durationMs / sliceMs))
  for (let turn = 0; turn < turns; turn++) {
    for (const server of shuffled(servers, random)) {
      of(results, server.name).push(await slice(server, durationMs / turns))
    }
  }
  return results
}

async function usagesOf<Name extends string>(
  servers: readonly RunningServer<Name>[],
): Promise<Map<Name, ServerUsage>> {
  const usages = new Map<Name, ServerUsage>()
  for (const { name, program } of servers) usages.set(name, await usageOf(program))
  return usages
}

function summariseClosed(
  slices: readonly LoadResult[],
  cpuMs: number | null,
): Pick<Launch, 'requestsPerSecond' | 'turns' | 'cpuMicrosPerRequest' | 'generatorBusy'> {
  const answered = totalAnswered(slices)
  return {
    requestsPerSecond: fullRate(slices),
    turns: turnsOf(slices),
    cpuMicrosPerRequest: cpuMs === null ? null : (cpuMs * 1000) / answered,
    generatorBusy: Math.max(...slices.map(({ busy }) => busy)),
  }
}

/** Requests per second of each slice. */
function turnsOf(slices: readonly LoadResult[]): number[] {
  return slices.map(({ answered, durationMs }) => (answered / durationMs) * 1000)
}

/** Median of the slices: what others do to the machine comes in bursts and only ever slows. */
function fullRate(slices: readonly LoadResult[]): number {
  return median(turnsOf(slices))
}

function totalAnswered(slices: readonly LoadResult[]): number {
  return slices.reduce((total, slice) => total + slice.answered, 0)
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before
}

/**
 * Of the quieter half of the slices, taken together. Together: the 99th percentile of one slice is its
 * ten or twenty slowest requests, and so tells whether there was a collection of garbage in it. The
 * quieter half: stalls of a shared machine come in bursts of milliseconds; with all slices the same
 * program differed from itself by more than twice as much.
 */
function summariseOpen(
  slices: readonly LoadResult[],
): Omit<NonNullable<Launch['open']>, 'ratePerSecond'> {
  const quietFirst = slices.toSorted((a, b) => a.p99Ms - b.p99Ms)
  const quieter = quietFirst.slice(0, Math.ceil(slices.length / 2))
  const latencies = quieter.flatMap(({ latenciesMs }) => latenciesMs)
  return { p50Ms: quantile(latencies, 0.5), p99Ms: quantile(latencies, 0.99) }
}

/** @throws Error when it was not measured */
export function of<Name, Value>(measured: ReadonlyMap<Name, Value>, name: Name): Value {
  const value = measured.get(name)
  if (value === undefined) throw new Error(`Nothing was measured of ${String(name)}`)
  return value
}

/** Waits until the route answers rightly: a BFF listens before its functions are loaded. */
export async function untilReady(port: number, asked: Asked): Promise<void> {
  const deadline = performance.now() + 10_000
  const probe = { port, exchanges: exchangesOf(asked), connections: 1, durationMs: 1 }
  for (;;) {
    const { failed, firstFailure } = await runLoad(probe)
    if (failed === 0) return
    if (performance.now() > deadline) throw new Error(`Not ready after 10 s: ${firstFailure}`)
    await delay(50)
  }
}
