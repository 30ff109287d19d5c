import { setTimeout as delay } from 'node:timers/promises'
import { simpleGit } from 'simple-git'
import { createDeployer, type DeployerOptions, type Deployment } from './deploy.ts'

export interface DeployLoopOptions extends DeployerOptions {
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
  const { signal } = options
  const origin = simpleGit(options.directories.origin)
  const clone = simpleGit(options.directories.deploy)
  const deployer = await createDeployer(options)
  let deployed: string | undefined
  try {
    while (!signal.aborted) {
      const tip = (await origin.revparse(['refs/heads/main'])).trim()
      if (tip === deployed) {
        await delay(lookEveryMs, undefined, { signal })
        continue
      }
      await clone.fetch('origin', 'main')
      await clone.raw(['checkout', '--force', '--detach', tip])
      const { latest } = await clone.log(['-1'])
      const reason = latest?.message ?? tip
      options.onPush?.({ commit: tip, subject: reason, author: latest?.author_name ?? 'unknown' })
      const canaryPercent = options.nextCanaryPercent?.()
      const deployment = await deployer.deploy({ commit: tip, reason, canaryPercent, signal })
      deployed = tip
      options.onDeployed?.(deployment)
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    await deployer.close()
  }
}
