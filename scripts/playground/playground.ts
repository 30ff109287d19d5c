import { mkdir } from 'node:fs/promises'
import { type BffProcess, freePort, startBff } from './bff-process.ts'
import type { Deployment } from './deploy.ts'
import { type Push, runDeployLoop } from './deploy-loop.ts'
import { type PlaygroundDirectories, playgroundDirectories } from './directories.ts'
import { prepareTrust } from './prepare-trust.ts'
import { seedRepository } from './seed-repository.ts'
import { type StoreEnv, storeEnv } from './store-access.ts'

export interface Playground {
  readonly directories: PlaygroundDirectories
  readonly store: StoreEnv
  readonly bff: BffProcess
  /** Rejects when a part of it fails by itself. */
  readonly ended: Promise<void>
  /** Weight at which the next pushes start their changed functions; undefined for all at once. */
  canaryPercent: number | undefined
  close(): Promise<void>
}

export interface PlaygroundOptions {
  readonly root: string
  /** The next free one from here is taken. */
  readonly port: number
  readonly pollIntervalMs: number
  readonly canaryPercent?: number | undefined
  readonly onStep?: (step: string) => void
  readonly onPush?: (push: Push) => void
  readonly onDeployed?: (deployment: Deployment) => void
}

/** Everything Needle needs, on this machine: a Git origin, a store, a deploy loop, and a BFF. */
export async function openPlayground(options: PlaygroundOptions): Promise<Playground> {
  const directories = playgroundDirectories(options.root)
  await mkdir(directories.root, { recursive: true })
  options.onStep?.('Git origin and a working clone')
  await seedRepository(directories)
  options.onStep?.('keys and trust root')
  const store = await storeEnv(directories)
  await prepareTrust(directories, store)
  options.onStep?.('the BFF')
  const bff = await startBff({
    directories,
    store,
    port: await freePort(options.port),
    pollIntervalMs: options.pollIntervalMs,
  })
  const stop = new AbortController()
  const playground: Playground = {
    directories,
    store,
    bff,
    ended: bff.ended,
    canaryPercent: options.canaryPercent,
    async close() {
      stop.abort()
      await loop
      await bff.close()
    },
  }
  const loop = runDeployLoop({
    directories,
    store,
    signal: stop.signal,
    nextCanaryPercent: () => playground.canaryPercent,
    ...(options.onPush && { onPush: options.onPush }),
    ...(options.onDeployed && { onDeployed: options.onDeployed }),
  })
  return Object.assign(playground, { ended: Promise.race([loop, bff.ended]) })
}
