import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { simpleGit } from 'simple-git'
import type { Deployment } from '../playground/deploy.ts'
import type { Playground } from '../playground/playground.ts'
import { type NeedleRun, runNeedle } from '../playground/run-needle.ts'

/** What a chapter of the tour can do, each as a person would do it. */
export interface Stage {
  readonly playground: Playground
  /** Replaces text in a file of the working clone; it must be there. */
  edit(path: string, from: string, to: string): Promise<void>
  /** Commits everything, pushes, and waits until the deploy loop is done with it. */
  push(message: string): Promise<Landing>
  /** `git revert` of the newest commit, pushed. */
  revert(): Promise<Landing>
  request(method: string, path: string, options?: RequestOptions): Promise<Answer>
  /** Asks until `accept` holds; returns the milliseconds since `since`. */
  until(ask: () => Promise<boolean>, since: number): Promise<number>
  /** The `needle` command in the working clone, as an operator with a key. */
  operate(...args: string[]): Promise<NeedleRun>
  /** One look of the rollout controller. */
  lookAtRollouts(): Promise<NeedleRun>
}

export interface RequestOptions {
  readonly body?: unknown
  readonly user?: string
}

export interface Answer {
  readonly status: number
  readonly body: unknown
  readonly revision: string | null
  /** The canary that failed, when stable answered in its stead. */
  readonly fallback: string | null
}

export interface Landing {
  readonly deployment: Deployment
  /** When the push was through, in `performance.now()` milliseconds. */
  readonly pushedAt: number
}

const patienceMs = 15_000

export function createStage(
  playground: Playground,
  nextDeployment: () => Promise<Deployment>,
): Stage {
  const { directories, bff } = playground
  const git = simpleGit(directories.work)

  const land = async (): Promise<Landing> => {
    await git.push()
    const pushedAt = performance.now()
    return { deployment: await nextDeployment(), pushedAt }
  }

  const operate = async (args: readonly string[], accepted: readonly number[]) => {
    const run = await runNeedle(args, {
      cwd: directories.work,
      env: {
        ...playground.store,
        NEEDLE_TRUST: join(directories.keys, 'trust-root.json'),
        NEEDLE_OPERATOR_KEY: await readFile(join(directories.keys, 'operator.jwk.json'), 'utf8'),
      },
    })
    if (accepted.includes(run.exitCode)) return run
    throw new Error(`needle ${args.join(' ')} failed:\n${run.output}`)
  }

  return {
    playground,
    async edit(path, from, to) {
      const file = join(directories.work, path)
      const text = await readFile(file, 'utf8')
      if (!text.includes(from)) throw new Error(`${path} does not contain "${from}"`)
      await writeFile(file, text.replace(from, to))
    },
    async push(message) {
      await git.add('.')
      await git.commit(message)
      return land()
    },
    async revert() {
      await git.raw(['revert', '--no-edit', 'HEAD'])
      return land()
    },
    async request(method, path, { body, user } = {}) {
      const response = await fetch(`${bff.url}${path}`, {
        method,
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(user !== undefined && { 'x-user-id': user }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      })
      return {
        status: response.status,
        body: await response.json(),
        revision: response.headers.get('x-needle-revision'),
        fallback: response.headers.get('x-needle-fallback'),
      }
    },
    async until(ask, since) {
      const giveUpAt = performance.now() + patienceMs
      while (!(await ask())) {
        if (performance.now() > giveUpAt) {
          throw new Error(`Not seen within ${patienceMs / 1000} s`)
        }
        await delay(10)
      }
      return performance.now() - since
    },
    operate: (...args) => operate(args, [0]),
    // 1 says that a rollout failed, which is what it looks for.
    lookAtRollouts: () => operate(['rollout'], [0, 1]),
  }
}
