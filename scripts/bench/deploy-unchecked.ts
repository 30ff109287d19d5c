import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deployment, DeployOptions, Phase } from '../playground/deploy.ts'
import { type NeedleRun, runNeedle } from '../playground/run-needle.ts'

/**
 * The playground's `deploy` without its check phase: what is measured here is how versions go live,
 * and hundreds of runs of the functions' own tests would only make that rarer.
 */
export async function deployUnchecked(options: DeployOptions): Promise<Deployment> {
  const { directories, store, commit } = options
  const withStore = { ...store, NEEDLE_TRUST: join(directories.keys, 'trust-root.json') }
  const releaseKey = await readFile(join(directories.keys, 'release.jwk.json'), 'utf8')
  const plan = join(directories.root, 'plan.json')
  const build = join(directories.root, 'build')
  const steps: readonly (readonly [Phase, string[], Record<string, string>])[] = [
    ['plan', ['--out', plan], withStore],
    ['build', ['--plan', plan, '--out', build], {}],
    [
      'publish',
      ['--build', build, '--reason', options.reason],
      { ...withStore, NEEDLE_RELEASE_KEY: releaseKey },
    ],
  ]
  const runs: Partial<Record<Phase, NeedleRun>> = {}
  for (const [phase, args, env] of steps) {
    const run = await runNeedle([phase, '--environment', 'production', ...args], {
      cwd: directories.deploy,
      env,
      signal: options.signal,
    })
    runs[phase] = run
    if (run.exitCode !== 0) return { commit, failed: phase, runs }
  }
  return { commit, failed: null, runs }
}
