import { mkdir } from 'node:fs/promises'
import { type BffProcess, freePort, startBff } from './bff-process.ts'
import type { Deployment, Phase } from './deploy.ts'
import { type Push, runDeployLoop } from './deploy-loop.ts'
import { type PlaygroundDirectories, playgroundDirectories } from './directories.ts'
import { prepareTrust } from './prepare-trust.ts'
import { seedRepository } from './seed-repository.ts'
import { type StoreEnv, storeEnv } from './store-access.ts'

export interface Playground {
  readonly directories: PlaygroundDirectories
  readonly store: StoreEnv
  readonly bff: BffProcess
  /** Weight in percent at which changes start; undefined when they go to everybody at once. */
  readonly canaryPercent: number | undefined
  /** Rejects when a part of it fails by itself. */
  readonly ended: Promise<void>
  /** Of whatever `main` was when it opened. */
  readonly firstDeployment: Deployment
  /** Weight at which the next pushes start their changed functions; undefined for all at once. */
  startCanariesAt(percent: number | undefined): void
  close(): Promise<void>
}

export interface PlaygroundOptions {
  readonly root: string
  /** The next free one from here is taken. */
  readonly port: number
  readonly pollIntervalMs: number
  /** Of the BFF; see `BffOptions`. */
  readonly logLevel?: string | undefined
  readonly canaryPercent?: number | undefined
  readonly signal?: AbortSignal
  readonly onStep?: (step: string) => void
  readonly onPush?: (push: Push) => void
  readonly onPhase?: (phase: Phase) => void
  readonly onDeployed?: (deployment: Deployment) => void
}

/** Everything Needle needs, on this machine: a Git origin, a store, a deploy loop, and a BFF. */
export async function openPlayground(options: PlaygroundOptions): Promise<Playground> {
  const directories = playgroundDirectories(options.root)
  await mkdir(directories.root, { recursive: true })
  options.onStep?.('Git origin and a working clone')
  const store = await storeEnv(directories)
  await seedRepository(directories, store['NEEDLE_STORE'])
  options.onStep?.('keys and trust root')
  await prepareTrust(directories, store, options.signal)
  const stop = new AbortController()
  options.signal?.addEventListener('abort', () => stop.abort(), { once: true })
  if (options.signal?.aborted) throw new PlaygroundStopped()
  const canary = { percent: options.canaryPercent }
  const deployed = Promise.withResolvers<Deployment>()
  options.onStep?.('a deployment of what main says')
  const loop = runDeployLoop({
    directories,
    store,
    signal: stop.signal,
    nextCanaryPercent: () => canary.percent,
    ...(options.onPush && { onPush: options.onPush }),
    ...(options.onPhase && { onPhase: options.onPhase }),
    onDeployed: (deployment) => {
      options.onDeployed?.(deployment)
      deployed.resolve(deployment)
    },
  })
  const firstDeployment = await Promise.race([deployed.promise, loop.then(() => null)])
  if (firstDeployment === null) throw new PlaygroundStopped()

  options.onStep?.('the BFF')
  const bff = await startBff({
    directories,
    store,
    port: await freePort(options.port),
    pollIntervalMs: options.pollIntervalMs,
    logLevel: options.logLevel,
  })
  return {
    directories,
    store,
    bff,
    canaryPercent: options.canaryPercent,
    firstDeployment,
    ended: Promise.race([loop, bff.ended]),
    startCanariesAt: (percent) => void (canary.percent = percent),
    async close() {
      stop.abort()
      await loop
      await bff.close()
    },
  }
}

/** It was told to stop before it was up. */
export class PlaygroundStopped extends Error {
  override readonly name = 'PlaygroundStopped'
}
