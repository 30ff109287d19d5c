import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { type Arm, serverOf } from './arms.ts'
import type { LoadOrder } from './load-process.ts'
import { type Program, startProgram } from './program.ts'
import { priceExchanges } from './price-exchanges.ts'
import { type LoadResult, runLoad } from './http-load.ts'
import { shuffled } from './seeded-random.ts'
import { type ServerUsage, usageOf } from './server-usage.ts'
import { median } from './statistics.ts'

export interface RoundOptions {
  /** For servers that need a store; the hand-written ones ignore it. */
  readonly env: Readonly<Record<string, string>>
  /** Of each arm before anything is measured, its slices together. */
  readonly warmUpMs: number
  /** Of each measurement of each arm, all its slices together. */
  readonly durationMs: number
  /** Of the second measurement, whose requests arrive whether or not the server keeps up; null leaves it out. */
  readonly openRatePerSecond: number | null
  /** Orders the arms within each turn. */
  readonly random: () => number
}

/** What one fresh process did. */
export interface Launch {
  /** Median of the slices: what others do to the machine comes in bursts and only ever slows. */
  readonly requestsPerSecond: number
  /** Requests per second of each slice, in the order of the turns: those of one turn compare best. */
  readonly turns: readonly number[]
  /** Processor time of the server per request, under full load; null where it cannot be read. */
  readonly cpuMicrosPerRequest: number | null
  readonly rssBytes: number | null
  /** Share of its time the load generator had something to do, 0–1, the highest of the slices. */
  readonly generatorBusy: number
  /** Latency at the open rate, medians of the slices; null when it was left out. */
  readonly open: { readonly p50Ms: number; readonly p99Ms: number } | null
}

export const path = '/api/bench/price'
const connections = 64
/** Short, so that the arms of a turn meet the machine in one mood. */
const sliceMs = 100
const startTimeoutMs = 30_000

/**
 * Starts a fresh server per arm, all on one core, and a load generator on the other; then loads the
 * servers by turns, a slice each, so that all arms meet the machine in the same moods. A server that
 * has not its turn is idle. (Arms measured one after another differed by up to 87 % on a shared
 * machine although they were the same program.) Connections stay open from turn to turn and the
 * warm-up goes by turns too: V8 throws its compiled code away when it collects garbage while no
 * connection holds the objects the code was made for, and whoever met that in the first turns was
 * measured while compiling.
 *
 * @throws Error when any answer is wrong: a fast server that answers wrongly is not fast
 */
export async function measureRound(
  arms: readonly Arm[],
  options: RoundOptions,
): Promise<Map<Arm, Launch>> {
  const generator = startProgram(join(import.meta.dirname, 'load-process.ts'), { core: 1 })
  const servers: RunningServer[] = []
  try {
    // In random order, too: the first to be started and warmed up was slower than its twin.
    for (const arm of shuffled(arms, options.random)) {
      servers.push(await startServer(arm, options))
    }
    const load = createLoader(generator)
    const slice = (server: RunningServer, durationMs: number) => load(server, { durationMs })
    await takeTurns(servers, { ...options, durationMs: options.warmUpMs }, slice)

    const before = await usagesOf(servers)
    const closed = await takeTurns(servers, options, slice)
    const after = await usagesOf(servers)
    const ratePerSecond = options.openRatePerSecond
    const open =
      ratePerSecond === null
        ? null
        : await takeTurns(servers, options, (server, durationMs) =>
            load(server, { durationMs, ratePerSecond }),
          )
    const launches = new Map<Arm, Launch>()
    for (const { arm } of servers) {
      const cpuMs = difference(of(after, arm).cpuMs, of(before, arm).cpuMs)
      const slices = of(closed, arm)
      launches.set(arm, {
        ...summariseClosed(slices, cpuMs),
        rssBytes: of(after, arm).rssBytes,
        open: open && summariseOpen(of(open, arm)),
      })
    }
    return launches
  } finally {
    await generator.close()
    for (const { program } of servers) await program.close()
  }
}

export interface RunningServer {
  readonly arm: Arm
  readonly program: Program
  readonly port: number
}

/**
 * Starts the arm's server and waits for its first right answer.
 *
 * @throws Error when it ends or is not there in time; it is stopped then
 */
export async function startServer(
  arm: Arm,
  { env }: Pick<RoundOptions, 'env'>,
): Promise<RunningServer> {
  const { file, nodeOptions } = serverOf(arm)
  const program = startProgram(file, { core: 0, env, nodeOptions })
  try {
    const { port } = await program.receive(z.object({ port: z.int() }), {
      withinMs: startTimeoutMs,
    })
    await untilReady(port)
    return { arm, program, port }
  } catch (error) {
    await program.close({ graceMs: 5000 })
    throw error
  }
}

type Loader = (
  server: RunningServer,
  order: Pick<LoadOrder, 'durationMs' | 'ratePerSecond'>,
) => Promise<LoadResult>

function createLoader(generator: Program): Loader {
  return async ({ arm, port }, order) => {
    generator.send({ port, path, connections, ...order } satisfies LoadOrder)
    const report = await generator.receive(reportSchema)
    if (report.failed > 0) {
      throw new Error(`${arm}: ${report.failed} wrong answers, the first: ${report.firstFailure}`)
    }
    return report
  }
}

/** Every server once per turn, in an order of its own each time. */
async function takeTurns<Result>(
  servers: readonly RunningServer[],
  { durationMs, random }: Pick<RoundOptions, 'durationMs' | 'random'>,
  slice: (server: RunningServer, durationMs: number) => Promise<Result>,
): Promise<Map<Arm, Result[]>> {
  const results = new Map(servers.map(({ arm }) => [arm, [] as Result[]]))
  const turns = Math.max(1, Math.round(durationMs / sliceMs))
  for (let turn = 0; turn < turns; turn++) {
    for (const server of shuffled(servers, random)) {
      of(results, server.arm).push(await slice(server, durationMs / turns))
    }
  }
  return results
}

async function usagesOf(servers: readonly RunningServer[]): Promise<Map<Arm, ServerUsage>> {
  const usages = new Map<Arm, ServerUsage>()
  for (const { arm, program } of servers) usages.set(arm, await usageOf(program))
  return usages
}

function summariseClosed(
  slices: readonly LoadResult[],
  cpuMs: number | null,
): Pick<Launch, 'requestsPerSecond' | 'turns' | 'cpuMicrosPerRequest' | 'generatorBusy'> {
  const answered = slices.reduce((total, slice) => total + slice.answered, 0)
  const turns = slices.map((slice) => (slice.answered / slice.durationMs) * 1000)
  return {
    requestsPerSecond: median(turns),
    turns,
    cpuMicrosPerRequest: cpuMs === null ? null : (cpuMs * 1000) / answered,
    generatorBusy: Math.max(...slices.map(({ busy }) => busy)),
  }
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before
}

function summariseOpen(slices: readonly LoadResult[]): NonNullable<Launch['open']> {
  return {
    p50Ms: median(slices.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(slices.map(({ p99Ms }) => p99Ms)),
  }
}

/** @throws Error when the arm was not measured */
export function of<Value>(measured: ReadonlyMap<Arm, Value>, arm: Arm): Value {
  const value = measured.get(arm)
  if (value === undefined) throw new Error(`Nothing was measured of ${arm}`)
  return value
}

/** Waits until the route answers rightly: a BFF listens before its functions are loaded. */
async function untilReady(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  for (;;) {
    const probe = { port, exchanges: priceExchanges(path), connections: 1, durationMs: 1 }
    const { failed, firstFailure } = await runLoad(probe)
    if (failed === 0) return
    if (performance.now() > deadline) throw new Error(`Not ready after 10 s: ${firstFailure}`)
    await delay(50)
  }
}

const reportSchema: z.ZodType<LoadResult> = z.object({
  answered: z.int(),
  failed: z.int(),
  firstFailure: z.string().nullable(),
  durationMs: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  busy: z.number(),
})
