import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { StoreEnv } from '../playground/store-access.ts'
import { createWorkspace } from './workspace.ts'

/** Publishes the benchmarked function as its author would; returns what a BFF needs to serve it. */
export async function publishFunction(): Promise<StoreEnv> {
  const source = join(import.meta.dirname, 'function')
  const files: Record<string, string> = {}
  for (const name of await readdir(source)) {
    files[`functions/bench/price/${name}`] = await readFile(join(source, name), 'utf8')
  }
  const workspace = await createWorkspace('bench', files)
  await workspace.deployUnchecked('origin/main', 'Publish the function to be measured')
  await workspace.close()
  return workspace.bffEnv('bench')
}
