import { existsSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { openStore } from '@needle-faas/runtime/store'
import { objectKey, sizeLimit } from '@needle-faas/runtime/manifest'
import type { PlaygroundDirectories } from './directories.ts'
import { runNeedle } from './run-needle.ts'
import type { StoreEnv } from './store-access.ts'

/**
 * Makes the playground's keys and trust root once, and sees that the store has that root. A store
 * that lost everything (a gateway in memory, say) begins anew, and the BFF's memory of it with it.
 */
export async function prepareTrust(
  directories: PlaygroundDirectories,
  env: StoreEnv,
  signal?: AbortSignal,
): Promise<void> {
  const pinned = join(directories.keys, 'trust-root.json')
  if (!existsSync(pinned)) {
    await rm(directories.keys, { recursive: true, force: true })
    const made = await runNeedle(['keys', 'init', '--out', directories.keys], {
      cwd: directories.deploy,
      env: { ...env, NEEDLE_TRUST: pinned },
      signal,
    })
    if (made.exitCode !== 0) throw new Error(`Keys could not be made:\n${made.output}`)
    return
  }
  const url = env['NEEDLE_STORE']
  if (url === undefined) throw new Error('The playground has no store')
  const store = await openStore(url)
  try {
    const root = await store.get(objectKey.trustRoot(1), { maxBytes: sizeLimit.trustRootBytes })
    if (root.status === 'found') return
    await store.put(objectKey.trustRoot(1), await readFile(pinned), { condition: 'absent' })
    await rm(directories.cache, { recursive: true, force: true })
  } finally {
    await store.close()
  }
}
