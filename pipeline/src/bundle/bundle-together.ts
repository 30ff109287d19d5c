import { join } from 'node:path'
import { build } from 'esbuild'
import type { FunctionSource } from '../functions/discover.ts'
import { bundlerOptions } from './bundle-function.ts'

/**
 * Scripts of many functions, by name, in one go: packages are read once, so it takes a fraction of
 * the time. Only for evaluating them: names in the bytes depend on what else was bundled, so these
 * are never artifacts.
 *
 * @throws what esbuild throws, when one of them cannot be bundled
 */
export async function bundleTogether(
  sources: readonly FunctionSource[],
  directory: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const outdir = join(directory, 'together')
  const result = await build({
    ...bundlerOptions,
    entryPoints: sources.map(({ name, entry }) => ({ in: join(directory, entry), out: name })),
    absWorkingDir: directory,
    outdir,
    write: false,
  })
  const scripts = new Map(result.outputFiles.map(({ path, contents }) => [path, contents]))
  return new Map(
    sources.flatMap(({ name }) => {
      const script = scripts.get(join(outdir, `${name}.js`))
      return script === undefined ? [] : [[name, script]]
    }),
  )
}
