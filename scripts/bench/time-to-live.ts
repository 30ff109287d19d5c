import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import * as z from 'zod'
import { runDeployLoop } from '../playground/deploy-loop.ts'
import type { Deployment, Phase } from '../playground/deploy.ts'
import { functionFile, functionFiles, functionNames } from './many-functions.ts'
import { startProgram } from './program.ts'
import { createWorkspace, type Push, type Workspace } from './workspace.ts'

export interface TimeToLiveOptions {
  /** How many functions the repository holds; one is changed at a time. */
  readonly functions: number
  /** Merges, each followed by its revert. */
  readonly repetitions: number
  readonly pollIntervalMs: number
  readonly onStep?: (step: string) => void
  readonly onLive?: (live: TimeToLive) => void
}

/** How long one push took to serve. All in milliseconds. */
export interface TimeToLive {
  readonly kind: 'merge' | 'revert'
  /** From the start of the push to the first answer of the new code, without the checks. */
  readonly totalMs: number
  /** Lint, types and tests of the change. */
  readonly checkMs: number
  readonly phases: Readonly<Record<LivePhase, number>>
}

/**
 * `notice`: push, and the loop's look at the origin and its checkout. `arrive`: from the end of the
 * publish command to the first answer: the rest of the poll interval, fetch, verification, load and
 * swap; below zero when the BFF was there before the command had ended.
 */
export type LivePhase = 'notice' | 'plan' | 'build' | 'publish' | 'arrive'

/** Merges and reverts one function of many, through the deploy loop, and waits for a BFF to serve it. */
export async function measureTimeToLive(options: TimeToLiveOptions): Promise<TimeToLive[]> {
  const names = functionNames(options.functions)
  options.onStep?.(`Building and publishing ${names.length} functions`)
  const workspace = await createWorkspace('merge-to-live', functionFiles(names, 'v0'))
  await workspace.deployUnchecked('origin/main', 'First versions')
  await workspace.close()
  const bff = startProgram(join(import.meta.dirname, 'servers', 'needle.ts'), {
    env: { ...workspace.bffEnv('bench'), POLL_INTERVAL_MS: String(options.pollIntervalMs) },
  })
  const stop = new AbortController()
  const deployments = watchDeployments(workspace, stop.signal)
  try {
    // The loop begins with what is published already; either may be there first.
    const [{ port }] = await Promise.all([
      bff.receive(z.object({ port: z.int() })),
      deployments.next(),
    ])
    const results: TimeToLive[] = []
    for (let repetition = 0; repetition < options.repetitions; repetition++) {
      const name = names[(repetition * 17) % names.length] ?? ''
      const url = `http://127.0.0.1:${port}/api/bench/${name}`
      const version = `v${repetition + 1}`
      for (const kind of ['merge', 'revert'] as const) {
        const landed = deployments.next()
        const push = await (kind === 'merge'
          ? workspace.merge(functionFile(name, version), `Raise ${name} to ${version}`)
          : workspace.revert())
        const wanted = kind === 'merge' ? version : 'v0'
        const [liveAt, landing] = await Promise.all([untilServed(url, wanted), landed])
        const live = { kind, ...divide({ push, landing, liveAt }) }
        results.push(live)
        options.onLive?.(live)
        // A person's merges do not come in step with the poll.
        await delay(Math.random() * options.pollIntervalMs)
      }
    }
    return results
  } finally {
    stop.abort()
    await deployments.ended
    await bff.close()
  }
}

interface Landing {
  readonly deployment: Deployment
  readonly noticedAt: number
  readonly endedAt: number
}

/** Runs the deploy loop; `next` resolves with the next deployment that ends. */
function watchDeployments(workspace: Workspace, signal: AbortSignal) {
  const { directories, store } = workspace
  let waiting = Promise.withResolvers<Landing>()
  let noticedAt = 0
  const ended = runDeployLoop({
    directories,
    store,
    signal,
    onPush: () => (noticedAt = performance.now()),
    onDeployed(deployment) {
      const { resolve, reject } = waiting
      waiting = Promise.withResolvers()
      if (deployment.failed === null) {
        resolve({ deployment, noticedAt, endedAt: performance.now() })
      } else {
        const run = deployment.runs[deployment.failed]
        reject(new Error(`${deployment.failed} failed:\n${run?.output}`))
      }
    },
  })
  return { ended, next: () => Promise.race([waiting.promise, ended.then(throwEnded)]) }
}

function throwEnded(): never {
  throw new Error('The deploy loop ended while it was still needed')
}

function divide({
  push,
  landing: { deployment, noticedAt, endedAt },
  liveAt,
}: {
  readonly push: Push
  readonly landing: Landing
  readonly liveAt: number
}): Omit<TimeToLive, 'kind'> {
  const took = (phase: Phase): number => deployment.runs[phase]?.durationMs ?? 0
  const checkMs = took('check')
  return {
    totalMs: liveAt - push.startedAt - checkMs,
    checkMs,
    phases: {
      notice: noticedAt - push.startedAt,
      plan: took('plan'),
      build: took('build'),
      publish: took('publish'),
      arrive: liveAt - endedAt,
    },
  }
}

const bodySchema = z.object({ version: z.string() })
const patienceMs = 60_000

/** When the function first answered as `version`, in `performance.now()` milliseconds. */
async function untilServed(url: string, version: string): Promise<number> {
  const deadline = performance.now() + patienceMs
  while (performance.now() < deadline) {
    const response = await fetch(url)
    const body: unknown = await response.json()
    const parsed = bodySchema.safeParse(body)
    if (!parsed.success) throw new Error(`${url} answered ${JSON.stringify(body)}`)
    if (parsed.data.version === version) return performance.now()
    await delay(5)
  }
  throw new Error(`${url} did not answer as ${version} within ${patienceMs / 1000} s`)
}
