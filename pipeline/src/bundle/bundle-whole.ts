import { join } from 'node:path'
import { build } from 'esbuild'
import type { Bundle } from './bundle.ts'
import { artifactOutput, type BundleRequest, outputOf } from './bundle-request.ts'

/** Bundles a function as one script that says nothing of packages. */
export async function bundleWhole(request: BundleRequest): Promise<Bundle> {
  const { entry, directory, bundlerOptions } = request
  const { outputFiles } = await build({
    ...bundlerOptions,
    ...artifactOutput,
    entryPoints: [entry],
    absWorkingDir: directory,
    outfile: join(directory, 'function.js'),
  })
  return {
    script: outputOf(outputFiles, 'function.js').contents,
    sourceMap: outputOf(outputFiles, 'function.js.map').contents,
  }
}
