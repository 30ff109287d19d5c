import { setTimeout as delay } from 'node:timers/promises'
import { simpleGit } from 'simple-git'
import { type Deployment, type DeployOptions, deploy } from './deploy.ts'

export interface DeployLoopOptions extends Omit<DeployOptions, 'commit' | 'reason'> {
  readonly signal: AbortSignal
  /** Asked before each deployment. */
  readonly nextCanaryPercent?: () => number | undefined
  readonly onPush?: (push: Push) => void
  readonly onDeployed?: (deployment: Deployment) => void
}

export interface Push {
  readonly commit: string
  readonly subject: string
  readonly author: string
}

const lookEveryMs = 100

/**
 * Watches `main` of the origin and deploys each new tip, one at a time, until `signal` aborts.
 * Commits pushed while one is being deployed are taken together, as a workflow's concurrency group
 * takes the newest of those that wait.
 */
export async function runDeployLoop(options: DeployLoopOptions): Promise<void> {
  const origin = simpleGit(options.directories.origin)
  const clone = simpleGit(options.directories.deploy)
  let deployed: string | undefined
  while (!options.signal.aborted) {
    const tip = (await origin.revparse(['refs/heads/main'])).trim()
    if (tip === deployed) {
      await delay(lookEveryMs, undefined, { signal: options.signal }).catch(ignoreAbort)
      continue
    }
    await clone.fetch('origin', 'main')
    await clone.raw(['checkout', '--force', '--detach', tip])
    const { latest } = await clone.log(['-1'])
    const subject = latest?.message ?? tip
    options.onPush?.({ commit: tip, subject, author: latest?.author_name ?? 'unknown' })
    const deployment = await deploy({
      ...options,
      commit: tip,
      reason: subject,
      canaryPercent: options.nextCanaryPercent?.() ?? options.canaryPercent,
    }).catch((error: unknown) => {
      if (options.signal.aborted) return null
      throw error
    })
    deployed = tip
    if (deployment !== null) options.onDeployed?.(deployment)
  }
}

function ignoreAbort(error: unknown): void {
  if (!(error instanceof Error && error.name === 'AbortError')) throw error
}
