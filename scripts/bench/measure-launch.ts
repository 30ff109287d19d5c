import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { type Arm, serverFile } from './arms.ts'
import type { LoadOrder, LoadReport } from './load-process.ts'
import { startProgram } from './program.ts'
import { priceExchanges } from './price-exchanges.ts'
import { runLoad } from './http-load.ts'
import { usageOf } from './server-usage.ts'

export interface LaunchOptions {
  /** For servers that need a store; the hand-written ones ignore it. */
  readonly env: Readonly<Record<string, string>>
  readonly nodeOptions?: readonly string[]
  readonly warmUpMs: number
  readonly durationMs: number
  /** Of the second measurement, whose requests arrive whether or not the server keeps up; null leaves it out. */
  readonly openRatePerSecond: number | null
}

/** What one fresh process did. */
export interface Launch {
  readonly requestsPerSecond: number
  /** Processor time of the server per request, under full load. */
  readonly cpuMicrosPerRequest: number
  readonly rssBytes: number
  /** Share of its core the load generator used at most, 0–1. */
  readonly generatorBusy: number
  /** Latency at the open rate; null when it was left out. */
  readonly open: { readonly p50Ms: number; readonly p99Ms: number } | null
}

const path = '/api/bench/price'
const connections = 64

/**
 * Starts the arm's server and a load generator afresh on a core each, warms the server up and
 * measures it.
 *
 * @throws Error when any answer is wrong: a fast server that answers wrongly is not fast
 */
export async function measureLaunch(arm: Arm, options: LaunchOptions): Promise<Launch> {
  const { env, nodeOptions = [] } = options
  const server = startProgram(serverFile(arm), { core: 0, env, nodeOptions })
  const generator = startProgram(join(import.meta.dirname, 'load-process.ts'), { core: 1 })
  try {
    const { port } = await server.receive(z.object({ port: z.int() }))
    await untilReady(port)
    const load = async (order: Pick<LoadOrder, 'durationMs' | 'ratePerSecond'>) => {
      generator.send({ port, path, connections, ...order } satisfies LoadOrder)
      const report = await generator.receive(reportSchema)
      if (report.failed > 0) {
        throw new Error(`${arm}: ${report.failed} wrong answers, the first: ${report.firstFailure}`)
      }
      return report
    }
    await load({ durationMs: options.warmUpMs })
    const before = await usageOf(server)
    const closed = await load({ durationMs: options.durationMs })
    const after = await usageOf(server)
    const ratePerSecond = options.openRatePerSecond
    const open =
      ratePerSecond === null ? null : await load({ durationMs: options.durationMs, ratePerSecond })
    return {
      requestsPerSecond: (closed.answered / closed.durationMs) * 1000,
      cpuMicrosPerRequest: ((after.cpuMs - before.cpuMs) * 1000) / closed.answered,
      rssBytes: after.rssBytes,
      generatorBusy: closed.busy,
      open: open && { p50Ms: open.p50Ms, p99Ms: open.p99Ms },
    }
  } finally {
    await generator.close()
    await server.close()
  }
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

const reportSchema: z.ZodType<LoadReport> = z.object({
  answered: z.int(),
  failed: z.int(),
  firstFailure: z.string().nullable(),
  durationMs: z.number(),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
  busy: z.number(),
})
