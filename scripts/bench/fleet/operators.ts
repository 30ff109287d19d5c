import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import { createNeedleProcess } from '../../playground/needle-process.ts'
import type { StoreEnv } from '../../playground/store-access.ts'
import { type FleetFunction, fleetFunctions } from './fleet-functions.ts'

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

export function openOperators(options: {
  readonly cwd: string
  readonly store: StoreEnv
  /** Directory of the key files. */
  readonly keys: string
}): Operators {
  const { cwd, keys } = options
  const access = { ...options.store, NEEDLE_TRUST: join(keys, 'trust-root.json') }
  const key = join(keys, 'operator.jwk.json')
  const reader = createNeedleProcess(access)
  const operator = createNeedleProcess(access)
  const controller = new AbortController()
  const watching = watch(access, { cwd, key, signal: controller.signal })

  const order = async (...args: readonly string[]): Promise<void> => {
    const run = await operator.run([...args, '--environment', 'production', '--key', key], { cwd })
    // 4: written, and not all instances have followed yet, which is what is measured.
    if (run.exitCode !== 0 && run.exitCode !== 4)
      throw new Error(`needle ${args.join(' ')} failed:\n${run.output}`)
  }

  return {
    newest: async () => {
      const run = await reader.run(['status', '--environment', 'production', '--json'], { cwd })
      const { manifest, functions } = statusSchema.parse(JSON.parse(run.result))
      return {
        version: manifest.version,
        issuedAt: Date.parse(manifest.issuedAt),
        rollouts: Object.entries(functions).flatMap(([name, { rollout }]) =>
          rollout === null ? [] : [name],
        ),
      }
    },
    stop: (name) => order('stop', fleetFunctions[name], '--wait', '0', '--reason', 'drill'),
    resume: (name) =>
      order('resume', fleetFunctions[name], '--wait', '0', '--reason', 'drill over'),
    close: async () => {
      controller.abort()
      await watching
      await Promise.all([reader.close(), operator.close()])
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
  const args = ['rollout', '--watch', '--interval', '1', '--environment', 'production']
  await controller.run(args, { cwd, signal }).then(
    (run) => {
      throw new Error(`The controller ended by itself:\n${run.output}`)
    },
    (error: unknown) => {
      if (!signal.aborted) throw error
    },
  )
}

const statusSchema = z.object({
  manifest: z.object({ version: z.int(), issuedAt: z.string() }),
  functions: z.record(z.string(), z.object({ rollout: z.unknown() })),
})
