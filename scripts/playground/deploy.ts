import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlaygroundDirectories } from './directories.ts'
import { createNeedleProcess } from './needle-process.ts'
import type { NeedleRun } from './run-needle.ts'
import type { StoreEnv } from './store-access.ts'

export type Phase = 'plan' | 'check' | 'build' | 'publish'

export interface Deployment {
  readonly commit: string
  /** Null when every phase succeeded. */
  readonly failed: Phase | null
  readonly runs: Readonly<Partial<Record<Phase, NeedleRun>>>
}

export interface DeployRequest {
  /** Checked out in the deploy clone. */
  readonly commit: string
  readonly reason: string
  /** Weight in percent at which changed functions start; without it they go straight to stable. */
  readonly canaryPercent?: number | undefined
  readonly signal?: AbortSignal | undefined
}

export interface DeployerOptions {
  readonly directories: PlaygroundDirectories
  readonly store: StoreEnv
  /** Phases left out, for measurements of the others. */
  readonly skip?: readonly Phase[] | undefined
  readonly onPhase?: (phase: Phase) => void
}

/** Does with a commit what the deploy workflow does. */
export interface Deployer {
  deploy(request: DeployRequest): Promise<Deployment>
  close(): Promise<void>
}

/**
 * Plays the workflow's jobs, each in a process of its own that knows what the job may know: `plan`
 * reads the store; `check` and `build` run author code and know neither store nor key; `publish`
 * has the key and runs no author code. The processes stay from one deployment to the next.
 */
export async function createDeployer(options: DeployerOptions): Promise<Deployer> {
  const { directories, store, skip = [] } = options
  const access = { ...store, NEEDLE_TRUST: join(directories.keys, 'trust-root.json') }
  const releaseKey = await readFile(join(directories.keys, 'release.jwk.json'), 'utf8')
  const planner = createNeedleProcess(access)
  const builder = createNeedleProcess({})
  const publisher = createNeedleProcess({ ...access, NEEDLE_RELEASE_KEY: releaseKey })
  const processes = { plan: planner, check: builder, build: builder, publish: publisher }

  return {
    async deploy({ commit, signal, ...request }) {
      const runs: Partial<Record<Phase, NeedleRun>> = {}
      for (const [phase, args] of stepsOf(directories, request)) {
        if (skip.includes(phase)) continue
        options.onPhase?.(phase)
        const run = await processes[phase].run([phase, '--environment', 'production', ...args], {
          cwd: directories.deploy,
          ...(signal && { signal }),
        })
        runs[phase] = run
        if (run.exitCode !== 0) return { commit, failed: phase, runs }
      }
      return { commit, failed: null, runs }
    },
    async close() {
      await Promise.all([planner, builder, publisher].map((process) => process.close()))
    },
  }
}

function stepsOf(
  directories: PlaygroundDirectories,
  { reason, canaryPercent }: Pick<DeployRequest, 'reason' | 'canaryPercent'>,
): readonly (readonly [Phase, readonly string[]])[] {
  const plan = join(directories.root, 'plan.json')
  const build = join(directories.root, 'build')
  const canary = canaryPercent === undefined ? [] : ['--canary', `${canaryPercent}`]
  return [
    ['plan', ['--out', plan]],
    ['check', ['--plan', plan]],
    ['build', ['--plan', plan, '--out', build]],
    ['publish', ['--build', build, '--reason', reason, ...canary]],
  ]
}
