import type { Deployment } from './deploy.ts'

/** Hands deployments to whoever waits for them, in order, each once. */
export interface DeploymentQueue {
  readonly push: (deployment: Deployment) => void
  readonly next: () => Promise<Deployment>
}

export function createDeploymentQueue(): DeploymentQueue {
  const arrived: Deployment[] = []
  const waiting: ((deployment: Deployment) => void)[] = []
  return {
    push: (deployment) => {
      const resolve = waiting.shift()
      if (resolve === undefined) arrived.push(deployment)
      else resolve(deployment)
    },
    next: () => {
      const deployment = arrived.shift()
      if (deployment !== undefined) return Promise.resolve(deployment)
      return new Promise((resolve) => waiting.push(resolve))
    },
  }
}
