import { join } from 'node:path'
import * as z from 'zod'
import { type Program, startProgram } from '../bench/program.ts'
import { type ServerUsage, usageOf } from '../bench/server-usage.ts'
import { createWorkspace, type Workspace } from '../bench/workspace.ts'
import { median, quantile } from '../bench/statistics.ts'
import type { SoakOrder, SoakReport } from './load-process.ts'
import { firstVersion, type ProbeName, probeFile, probeFiles, probeNames } from './probes.ts'

export interface SwapSoakOptions {
  /** Name of its folder below `.needle/`. */
  readonly name: string
  /** Versions that go live, merges and reverts in turn. */
  readonly swaps: number
  readonly ratePerSecond: number
  readonly pollIntervalMs: number
  readonly onStep?: (step: string) => void
  readonly onSwap?: (swap: Swap) => void
}

/** One version that went live. */
export interface Swap {
  /** From 1. */
  readonly number: number
  readonly kind: 'merge' | 'revert'
  readonly function: string
  readonly version: string
  /** From the start of the push to the first answer of the new version. */
  readonly toLiveMs: number
  /** The part of it after the publish command ended. */
  readonly afterPublishMs: number
}

export interface SwapSoak {
  readonly swaps: readonly Swap[]
  readonly load: SoakReport
  readonly before: ServerUsage
  readonly after: ServerUsage
}

const liveWithinMs = 30_000

/**
 * Lets versions of three functions go live one after another, out of a real Git origin through the
 * real deploy steps, in a BFF under constant load, and sees each live before the next.
 *
 * @throws Error when a deployment fails or a version does not become live within 30 s; failed
 * requests are counted in `load`
 */
export async function runSwapSoak(options: SwapSoakOptions): Promise<SwapSoak> {
  options.onStep?.('Publishing the functions')
  const workspace = await createWorkspace(options.name, probeFiles())
  await workspace.deployUnchecked('origin/main', 'First versions')
  const bff = startProgram(join(import.meta.dirname, '..', 'bench', 'servers', 'needle.ts'), {
    env: { ...workspace.bffEnv('soak'), POLL_INTERVAL_MS: String(options.pollIntervalMs) },
    nodeOptions: ['--expose-gc'],
  })
  const load = startProgram(join(import.meta.dirname, 'load-process.ts'), {})
  const order = (message: SoakOrder): void => load.send(message)
  try {
    const { port } = await bff.receive(z.object({ port: z.int() }))
    order({ kind: 'start', port, ratePerSecond: options.ratePerSecond })
    options.onStep?.(`Load of ${options.ratePerSecond} requests/s on port ${port}`)
    const before = await usageOf(bff)
    const swaps: Swap[] = []
    for (let number = 1; number <= options.swaps; number++) {
      const swap = await swapOnce(workspace, load, number)
      swaps.push(swap)
      options.onSwap?.(swap)
    }
    order({ kind: 'finish' })
    return { swaps, load: await load.receive(reportSchema), before, after: await usageOf(bff) }
  } finally {
    await load.close()
    await bff.close()
    await workspace.close()
  }
}

/** Odd numbers merge a new version of one function, even ones revert it. */
async function swapOnce(workspace: Workspace, load: Program, number: number): Promise<Swap> {
  const kind = number % 2 === 1 ? 'merge' : 'revert'
  const probe = probeNames[Math.floor((number - 1) / 2) % probeNames.length] ?? 'card'
  const version = kind === 'merge' ? `v${number}` : firstVersion
  load.send({ kind: 'announce', probe, version } satisfies SoakOrder)
  const live = seenLive(load, probe, version)
  const subject = `${kind} ${version} of soak/${probe}`
  const { commit, startedAt } =
    kind === 'merge'
      ? await workspace.merge(probeFile(probe, version), subject)
      : await workspace.revert()
  await workspace.deployUnchecked(commit, subject)
  const publishedAt = performance.now()
  const liveAt = await within(liveWithinMs, live, `${subject} was published but not seen live`)
  return {
    number,
    kind,
    function: `soak/${probe}`,
    version,
    toLiveMs: liveAt - startedAt,
    afterPublishMs: Math.max(0, liveAt - publishedAt),
  }
}

/** When the load saw the version, in `performance.now()` milliseconds of this process. */
async function seenLive(load: Program, probe: ProbeName, version: string): Promise<number> {
  const seen = await load.receive(liveSchema)
  if (seen.probe !== probe || seen.version !== version) {
    throw new Error(
      `Expected ${version} of ${probe} to go live, but ${seen.version} of ${seen.probe} did`,
    )
  }
  return performance.now()
}

async function within<Value>(
  limitMs: number,
  wanted: Promise<Value>,
  complaint: string,
): Promise<Value> {
  const { promise, reject } = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => reject(new Error(`${complaint} within ${limitMs / 1000} s`)),
    limitMs,
  )
  try {
    return await Promise.race([wanted, promise])
  } finally {
    clearTimeout(timer)
  }
}

/** Median, 99th percentile and maximum. */
export function spreadOf(samples: readonly number[]): { p50: number; p99: number; max: number } {
  return { p50: median(samples), p99: quantile(samples, 0.99), max: quantile(samples, 1) }
}

const liveSchema = z.object({
  kind: z.literal('live'),
  probe: z.enum(probeNames),
  version: z.string(),
})

const reportSchema: z.ZodType<SoakReport> = z.object({
  kind: z.literal('report'),
  requests: z.int(),
  failed: z.int(),
  failures: z.array(z.string()),
  p50Ms: z.number(),
  p99Ms: z.number(),
  maxMs: z.number(),
})
