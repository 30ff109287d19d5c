import { spawnSync } from 'node:child_process'
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { handlerSource } from './many-function.ts'

/**
 * Bundles the handlers of so many routes, each with a copy of the validation library of its own, as
 * functions have: what is compared is what carries the code, not whether it is shared.
 */
export async function bundleHandlers(directory: string, count: number): Promise<void> {
  const sources = join(directory, 'src')
  await rm(directory, { recursive: true, force: true })
  await mkdir(sources, { recursive: true })
  const entryPoints: string[] = []
  for (let index = 0; index < count; index++) {
    const file = join(sources, `f${index}.mts`)
    await writeFile(file, handlerSource({ index, version: 1 }))
    entryPoints.push(file)
  }
  const bundling = spawnSync(
    'esbuild',
    [
      ...entryPoints,
      `--outdir=${directory}`,
      '--out-extension:.js=.mjs',
      '--bundle',
      '--format=esm',
      '--target=node24',
      '--minify',
      '--log-level=error',
    ],
    { encoding: 'utf8' },
  )
  if (bundling.status !== 0) throw new Error(`Handlers were not bundled:\n${bundling.stderr}`)
}
