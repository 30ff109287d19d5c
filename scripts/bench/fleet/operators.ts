import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { verifyTrustRoot } from '@needle-faas/runtime/manifest'
import { createVerifiedReader, openStore } from '@needle-faas/runtime/store'
import { createNeedleProcess } from '../../playground/needle-process.ts'
import type { StoreEnv } from '../../playground/store-access.ts'
import { type FleetFunction, fleetFunctions, fleetGroup } from './fleet-functions.ts'

/** The manifest an environment has now. Times are epoch milliseconds. */
export interface Newest {
  readonly version: number
  readonly issuedAt: number
  /** Functions with a running canary. */
  readonly rollouts: readonly string[]
}

/** People on call and the rollout controller: `needle` commands in processes of their own. */
export interface Operators {
  newest(): Promise<Newest>
  stop(name: FleetFunction): Promise<void>
  resume(name: FleetFunction): Promise<void>
  close(): Promise<void>
}

const environment = 'production'

/** `store` as `openStore` and the commands find it in their environment. */
export async function openOperators(options: {
  readonly cwd: string
  readonly store: StoreEnv
  /** Directory of the key files. */
  readonly keys: string
}): Promise<Operators> {
  const { cwd, keys } = options
  const trust = join(keys, 'trust-root.json')
  const access = { ...options.store, NEEDLE_TRUST: trust }
  const key = join(keys, 'operator.jwk.json')
  const store = await openStore(options.store['NEEDLE_STORE'] ?? '')
  const { document: root } = await verifyTrustRoot(await readFile(trust), null)
  const reader = createVerifiedReader({ store, environment, root })
  const operator = createNeedleProcess(access)
  const controller = new AbortController()
  const watching = watch(access, { cwd, key, signal: controller.signal })

  const order = async (...args: readonly string[]): Promise<void> => {
    const run = await operator.run([...args, '--environment', environment, '--key', key], { cwd })
    // 4: written, and not all instances have followed yet, which is what is measured.
    if (run.exitCode !== 0 && run.exitCode !== 4)
      throw new Error(`needle ${args.join(' ')} failed:\n${run.output}`)
  }

  return {
    // Not by `needle status`, which reads what two hundred instances report.
    newest: async () => {
      const found = await reader.manifest()
      if (found.status !== 'found') throw new Error(`${environment} has no manifest`)
      const { version, issuedAt, groups } = found.document
      const ref = groups[fleetGroup]
      const functions = ref === undefined ? {} : (await reader.group(fleetGroup, ref)).functions
      return {
        version,
        issuedAt: Date.parse(issuedAt),
        rollouts: Object.keys(functions).filter((name) => functions[name]?.rollout != null),
      }
    },
    stop: (name) => order('stop', fleetFunctions[name], '--wait', '0', '--reason', 'drill'),
    resume: (name) =>
      order('resume', fleetFunctions[name], '--wait', '0', '--reason', 'drill over'),
    close: async () => {
      controller.abort()
      await watching
      await Promise.all([store.close(), operator.close()])
    },
  }
}

/** The controller as a daemon, in a process of its own. */
async function watch(
  access: StoreEnv,
  {
    cwd,
    key,
    signal,
  }: { readonly cwd: string; readonly key: string; readonly signal: AbortSignal },
): Promise<void> {
  const controller = createNeedleProcess({
    ...access,
    NEEDLE_OPERATOR_KEY: await readFile(key, 'utf8'),
  })
  const args = ['rollout', '--watch', '--interval', '1', '--environment', environment]
  await controller.run(args, { cwd, signal }).then(
    (run) => {
      throw new Error(`The controller ended by itself:\n${run.output}`)
    },
    (error: unknown) => {
      if (!signal.aborted) throw error
    },
  )
}
