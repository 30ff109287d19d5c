import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import type { LoadResult } from '../http-load.ts'
import { assertRight, type LoadOrder, startLoadGenerator } from '../load-generator.ts'
import { connections, untilReady } from '../measure-round.ts'
import { type Program, startProgram } from '../program.ts'
import { median } from '../statistics.ts'
import type { Finding, MeasureOptions } from './finding.ts'
import type { ManyWorkspace } from './many-workspace.ts'

/** One change of all functions at once, under load. */
export interface Swap {
  readonly ratePerSecond: number
  /** The same load while nothing changes. */
  readonly quiet: LoadResult
  /** From the new manifest's arrival in the store to the end of its activation. */
  readonly during: LoadResult
}

const pollIntervalMs = 200
/** Longer than any swap, which ends it, and than any probation. */
const patienceMs = 120_000

/** @throws Error when an answer is wrong while nothing changes, or of the old version after the swap */
export async function measureSwap(
  workspace: ManyWorkspace,
  { rounds, durationMs, warmUpMs, onProgress }: MeasureOptions,
): Promise<Swap[]> {
  const swaps: Swap[] = []
  for (let round = 0; round < rounds; round++) {
    const swap = await swapOnce(workspace, { durationMs, warmUpMs })
    swaps.push(swap)
    onProgress(
      `swap ${round + 1} of ${rounds}: ${swap.during.failed} of ${swap.during.answered + swap.during.failed} failed, p99 ${inMs(swap.during.p99Ms)} in ${inMs(swap.during.durationMs)}, quiet ${inMs(swap.quiet.p99Ms)}`,
    )
  }
  return swaps
}

async function swapOnce(
  workspace: ManyWorkspace,
  { durationMs, warmUpMs }: Pick<MeasureOptions, 'durationMs' | 'warmUpMs'>,
): Promise<Swap> {
  const { functions } = workspace
  await workspace.select(1)
  const generator = startLoadGenerator()
  const server = startProgram(join(import.meta.dirname, '..', 'servers', 'needle.ts'), {
    core: 0,
    env: {
      ...(await workspace.freshEnv()),
      LOAD_AHEAD: String(functions),
      POLL_INTERVAL_MS: String(pollIntervalMs),
    },
  })
  try {
    const { port } = await server.receive(z.object({ port: z.int() }))
    const load = (
      versions: readonly number[],
      order: Pick<LoadOrder, 'durationMs' | 'ratePerSecond'>,
    ) =>
      generator.run({ port, asked: { what: 'many', functions, versions }, connections, ...order })
    await untilReady(port, { what: 'many', functions, versions: [1] })
    assertRight('needle', await load([1], { durationMs: warmUpMs }))
    // On a slow machine that was not enough, and the guard of the first calls was what was measured.
    const deadline = performance.now() + patienceMs
    for (let left = 1; left > 0;) {
      assertRight('needle', await load([1], { durationMs }))
      left = await onProbation(server)
      if (left > 0 && performance.now() > deadline) {
        throw new Error(`${left} functions are still on probation after ${inMs(patienceMs)}`)
      }
    }
    const full = assertRight('needle', await load([1], { durationMs }))
    const ratePerSecond = Math.round((full.answered / full.durationMs) * 1000 * rateShare)

    const quiet = assertRight('needle', await load([1], { durationMs, ratePerSecond }))
    const before = await activationsOf(server)
    const loading = load([1, 2], { durationMs: patienceMs, ratePerSecond })
    await workspace.select(2)
    while ((await activationsOf(server)) === before) await delay(20)
    generator.stop()
    const during = await loading
    assertRight('needle, after the swap', await load([2], { durationMs }))
    return { ratePerSecond, quiet, during }
  } finally {
    await generator.close()
    await server.close()
  }
}

/** Half of what it can do, as the open load of `npm run bench`. */
const rateShare = 0.5

async function activationsOf(server: Program): Promise<number> {
  server.send({ question: 'activations' })
  const { activations } = await server.receive(z.object({ activations: z.int() }))
  return activations
}

/** How many functions run under the guard of their first calls. */
async function onProbation(server: Program): Promise<number> {
  server.send({ question: 'probation' })
  const { functions } = await server.receive(z.object({ functions: z.int() }))
  return functions
}

export function judgeSwap(
  swaps: readonly Swap[],
  { functions }: { readonly functions: number },
): Finding {
  const middle = (value: (swap: Swap) => number): number => median(swaps.map(value))
  const failed = swaps.reduce((total, { during }) => total + during.failed, 0)
  const answered = swaps.reduce((total, { during }) => total + during.answered, 0)
  const firstFailure = swaps.find(({ during }) => during.failed > 0)?.during.firstFailure
  const worst = Math.max(...swaps.map(({ during }) => during.maxMs))
  return {
    what: `${functions} functions changed by one manifest under load`,
    goal: '0 failed',
    isMet: failed === 0,
    figure: `${failed} of ${failed + answered} failed; p99 ${inMs(middle(({ during }) => during.p99Ms))} during the swap, ${inMs(middle(({ quiet }) => quiet.p99Ms))} before it`,
    details: [
      `${swaps.length} launches, medians; every answer of the old or the new version, and all of the new one afterwards`,
      `about ${Math.round(middle(({ ratePerSecond }) => ratePerSecond))} requests/s arriving at random, half of what it can do; the server and all its threads share a core`,
      `all functions were loaded (loadAhead ${functions}), so all are fetched, verified and loaded anew before they serve`,
      `from the manifest's arrival to the end of its activation ${inMs(middle(({ during }) => during.durationMs))}; longest answer of all ${inMs(worst)}`,
      ...(firstFailure == null ? [] : [`the first failure: ${firstFailure}`]),
    ],
    data: swaps,
  }
}

function inMs(milliseconds: number): string {
  return `${milliseconds < 100 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`
}
