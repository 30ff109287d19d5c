import { access } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { fewReleases } from '../../../runtime/src/sync/release-pack.ts'
import type { StoreEnv } from '../../playground/store-access.ts'
import { runLoad } from '../http-load.ts'
import { untilReady } from '../measure-round.ts'
import { type Program, startProgram } from '../program.ts'
import { median } from '../statistics.ts'
import type { Finding, MeasureOptions } from './finding.ts'
import { manyExchanges } from './many-exchanges.ts'
import { manyPath } from './many-function.ts'
import type { ManyWorkspace } from './many-workspace.ts'

/** How far a process was when, in milliseconds since it began. */
export interface StartMoments {
  /** Its first line ran. */
  readonly began: number
  /** Fastify and the runtime were there. */
  readonly imported: number
  /** The plugin was registered: everything on disk verified and routed. */
  readonly ready: number
  readonly listening: number
}

export interface Start {
  /** From the spawn of the process to its first right answer. */
  readonly totalMs: number
  readonly moments: StartMoments
}

/**
 * Starts a BFF of built code from its disk cache and asks one function, another each time.
 *
 * @throws Error when it cannot start without the store: then it is not the disk it starts from
 */
export async function measureStart(
  workspace: ManyWorkspace,
  { rounds, onProgress }: MeasureOptions,
): Promise<Start[]> {
  await workspace.select(1)
  const env = await workspace.freshEnv()
  await fillCache(env, workspace.functions)
  const emptyStore = join(env['NEEDLE_CACHE'] ?? '', 'empty-store')
  await startOnce(
    { ...env, NEEDLE_STORE: `file:${emptyStore}` },
    { functions: workspace.functions, index: 0 },
  )

  const starts: Start[] = []
  for (let round = 0; round < rounds; round++) {
    // From the end: those at the beginning are loaded ahead.
    const index = workspace.functions - 1 - (round % workspace.functions)
    const start = await startOnce(env, { functions: workspace.functions, index })
    starts.push(start)
    onProgress(`start ${round + 1} of ${rounds}: first answer after ${inMs(start.totalMs)}`)
  }
  return starts
}

async function startBuilt(env: StoreEnv): Promise<Program> {
  return startProgram(join(import.meta.dirname, '..', 'servers', 'built.js'), {
    // What the runtime's README advises; the first start fills it.
    env: { ...env, NODE_COMPILE_CACHE: join(env['NEEDLE_CACHE'] ?? '', 'compile-cache') },
    isBuilt: true,
  })
}

/** A first start from the store, up to where a next one can do without. */
async function fillCache(env: StoreEnv, functions: number): Promise<void> {
  const server = await startBuilt(env)
  try {
    const { port } = await server.receive(startedSchema)
    await untilReady(port, { what: 'many', functions: 1, versions: [1] })
    const directory = join(env['NEEDLE_CACHE'] ?? '', 'production')
    await untilThere(join(directory, 'environments/production/manifest.json'))
    if (functions > fewReleases) await untilThere(join(directory, 'releases.ndjson'))
  } finally {
    await server.close()
  }
}

async function startOnce(
  env: StoreEnv,
  { functions, index }: { readonly functions: number; readonly index: number },
): Promise<Start> {
  const path = `/api${manyPath(index)}`
  const exchanges = manyExchanges({ functions, versions: [1] }).filter(({ request }) =>
    request.includes(`POST ${path} `),
  )
  const startedAt = performance.now()
  const server = await startBuilt(env)
  try {
    const { port, moments } = await server.receive(startedSchema)
    const first = await runLoad({ port, exchanges, connections: 1, durationMs: 1 })
    const totalMs = performance.now() - startedAt
    if (first.failed > 0) throw new Error(`The first answer was wrong: ${first.firstFailure}`)
    return { totalMs, moments }
  } finally {
    await server.close()
  }
}

const startedSchema = z.object({
  port: z.int(),
  runsFrom: z.string().endsWith('/dist/index.js'),
  moments: z.object({
    began: z.number(),
    imported: z.number(),
    ready: z.number(),
    listening: z.number(),
  }),
})

async function untilThere(file: string): Promise<void> {
  const deadline = performance.now() + 60_000
  while (performance.now() < deadline) {
    try {
      return await access(file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
    await delay(50)
  }
  throw new Error(`${file} was not there after 60 s`)
}

const goalMs = 1000

export function judgeStart(
  starts: readonly Start[],
  { functions }: { readonly functions: number },
): Finding {
  const totals = starts.map(({ totalMs }) => totalMs)
  const worst = Math.max(...totals)
  const step = (value: (moments: StartMoments) => number): string =>
    inMs(median(starts.map(({ moments }) => value(moments))))
  const afterwards = median(starts.map(({ totalMs, moments }) => totalMs - moments.listening))
  return {
    what: `start to first response, ${functions} functions registered, from the disk cache`,
    goal: `at most ${inMs(goalMs)}`,
    isMet: worst <= goalMs,
    figure: `${inMs(median(totals))}, at most ${inMs(worst)}`,
    details: [
      `${starts.length} starts of built code, without type stripping, with Node's compile cache filled, on all cores; files in the page cache`,
      `from the spawn of the process to the first 200 over HTTP, the load of the function that answered in it; each asks another that was not loaded ahead`,
      `medians: Node up to the first line ${step(({ began }) => began)} · import Fastify and the runtime ${step(({ began, imported }) => imported - began)} · verify and route everything ${step(({ imported, ready }) => ready - imported)} · listen ${step(({ ready, listening }) => listening - ready)} · spawn, first call and messages ${inMs(afterwards)}`,
    ],
    data: starts,
  }
}

function inMs(milliseconds: number): string {
  return `${Math.round(milliseconds)} ms`
}
