import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { PlaygroundDirectories } from './directories.ts'
import { type NeedleRun, runNeedle } from './run-needle.ts'
import type { StoreEnv } from './store-access.ts'

export type Phase = 'plan' | 'check' | 'build' | 'publish'

export interface Deployment {
  readonly commit: string
  /** Null when every phase succeeded. */
  readonly failed: Phase | null
  readonly runs: Readonly<Partial<Record<Phase, NeedleRun>>>
}

export interface DeployOptions {
  readonly directories: PlaygroundDirectories
  readonly store: StoreEnv
  readonly commit: string
  readonly reason: string
  /** Weight in percent at which changed functions start; without it they go straight to stable. */
  readonly canaryPercent?: number | undefined
  readonly signal?: AbortSignal | undefined
  readonly onPhase?: (phase: Phase) => void
}

/**
 * Does with the checked-out commit what the deploy workflow does, step by step: plan (reads the
 * store), check and build (run author code: no store, no key), publish (has the key, runs no author
 * code). Stops at the first that fails.
 */
export async function deploy(options: DeployOptions): Promise<Deployment> {
  const { directories, store } = options
  const trust = { NEEDLE_TRUST: join(directories.keys, 'trust-root.json') }
  const plan = join(directories.root, 'plan.json')
  const build = join(directories.root, 'build')
  const canary = options.canaryPercent === undefined ? [] : ['--canary', `${options.canaryPercent}`]
  const production = ['--environment', 'production']
  const steps: readonly (readonly [Phase, string[], Record<string, string>])[] = [
    ['plan', [...production, '--out', plan], { ...store, ...trust }],
    ['check', [...production, '--plan', plan], {}],
    ['build', [...production, '--plan', plan, '--out', build], {}],
    [
      'publish',
      [...production, '--build', build, '--reason', options.reason, ...canary],
      { ...store, ...trust, NEEDLE_RELEASE_KEY: await releaseKey(directories) },
    ],
  ]
  const runs: Partial<Record<Phase, NeedleRun>> = {}
  for (const [phase, args, env] of steps) {
    options.onPhase?.(phase)
    const run = await runNeedle([phase, ...args], {
      cwd: directories.deploy,
      env,
      signal: options.signal,
    })
    runs[phase] = run
    if (run.exitCode !== 0) return { commit: options.commit, failed: phase, runs }
  }
  return { commit: options.commit, failed: null, runs }
}

function releaseKey(directories: PlaygroundDirectories): Promise<string> {
  return readFile(join(directories.keys, 'release.jwk.json'), 'utf8')
}
