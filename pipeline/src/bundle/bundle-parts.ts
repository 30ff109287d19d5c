import { join } from 'node:path'
import {
  artifactBuildOptions,
  artifactGlobalName,
  joinParts,
  packagesGlobalName,
  partsOf,
} from '@needle-faas/runtime/container'
import { context, type Metafile, type OutputFile, type Plugin, transform } from 'esbuild'
import type { Bundle } from './bundle.ts'
import { artifactOutput, type BundleRequest, outputOf } from './bundle-request.ts'
import { joinSourceMaps } from './join-source-maps.ts'
import { isPackageFile } from './package-file.ts'

export interface PartsResult {
  /** Null when it does not come apart. */
  readonly bundle: Bundle | null
  /** What is in it, whether or not it comes apart. */
  readonly metafile: Metafile
}

/**
 * Bundles a function with its packages as a part of their own, whose bytes depend on what the
 * function uses of them and on nothing else of it: a runtime compiles them once for all functions
 * and versions that use the same. Packages run before the function's own modules, as ever with code
 * splitting.
 *
 * esbuild splits what two entry points share: the function, and one that imports each of the
 * packages' files in it, which a first build has told. Chunks are ES modules, made classic scripts
 * here one by one.
 *
 * It does not come apart when there are no packages in it, or something is imported when needed only:
 * esbuild would make that a chunk of its own.
 */
export async function bundleParts(request: BundleRequest): Promise<PartsResult> {
  const { entry, directory, bundlerOptions } = request
  let packageFiles: readonly string[] = []
  // One context: its second build parses nothing again.
  const esbuild = await context({
    ...bundlerOptions,
    ...artifactOutput,
    entryPoints: { own: entry, shared: sharedEntry },
    plugins: [...(bundlerOptions.plugins ?? []), sharedEntryPlugin(directory, () => packageFiles)],
    absWorkingDir: directory,
    outdir: directory,
    chunkNames: packagesName,
    splitting: true,
    format: 'esm',
    supported: { 'top-level-await': false },
    metafile: true,
  })
  try {
    const { metafile } = await esbuild.rebuild()
    const files = liveFiles(metafile)
    packageFiles = files.filter(isPackageFile)
    if (packageFiles.length === 0 || files.some((file) => importsWhenNeeded(metafile, file))) {
      return { bundle: null, metafile }
    }
    const { outputFiles } = await esbuild.rebuild()
    return { bundle: await joinChunks(outputFiles), metafile }
  } finally {
    await esbuild.dispose()
  }
}

async function joinChunks(outputs: readonly OutputFile[]): Promise<Bundle> {
  const packages = await toClassicScript(outputs, packagesName, {
    banner: `var ${packagesGlobalName}=(module=>{`,
    footer: 'return module.exports})({});',
  })
  const own = await toClassicScript(outputs, 'own', {
    banner: `var ${artifactGlobalName}=((require,module)=>{`,
    footer: `return module.exports})(()=>${packagesGlobalName},{});`,
  })
  const script = joinParts(packages.code, own.code)
  const parts = partsOf(script)
  const sourceMap = joinSourceMaps([
    { linesAbove: parts.packages?.linesAbove ?? 0, sourceMap: packages.map },
    { linesAbove: parts.own.linesAbove, sourceMap: own.map },
  ])
  return { script, sourceMap: Buffer.from(sourceMap) }
}

const packagesName = 'packages'
const sharedEntry = 'needle-shared'

/** Those that left something in the bundle. */
function liveFiles({ outputs }: Metafile): string[] {
  return Object.values(outputs).flatMap(({ inputs }) =>
    Object.keys(inputs).filter((path) => (inputs[path]?.bytesInOutput ?? 0) > 0),
  )
}

function importsWhenNeeded({ inputs }: Metafile, file: string): boolean {
  return inputs[file]?.imports.some(({ kind }) => kind === 'dynamic-import') ?? false
}

/** What it imports shares a chunk with the function; that it uses nothing leaves what the function uses. */
function sharedEntryPlugin(directory: string, files: () => readonly string[]): Plugin {
  return {
    name: sharedEntry,
    setup: (esbuild) => {
      esbuild.onResolve({ filter: new RegExp(`^${sharedEntry}$`) }, ({ path }) => ({
        path,
        namespace: sharedEntry,
      }))
      esbuild.onLoad({ filter: /.*/, namespace: sharedEntry }, () => ({
        contents: files()
          .map((file) => `import ${JSON.stringify(join(directory, file))}`)
          .join('\n'),
        resolveDir: directory,
      }))
    },
  }
}

interface Wrapping {
  /** Opens the function around the module, with the variables of a CommonJS module that it uses. */
  readonly banner: string
  readonly footer: string
}

/** A chunk as a classic script. What one module imports of another stays bound to it, as in ES modules. */
async function toClassicScript(
  outputs: readonly OutputFile[],
  name: string,
  wrapping: Wrapping,
): Promise<{ readonly code: string; readonly map: string }> {
  const { text } = outputOf(outputs, `${name}.js`)
  const map = Buffer.from(outputOf(outputs, `${name}.js.map`).contents).toString('base64')
  return transform(`${text}\n//# sourceMappingURL=data:application/json;base64,${map}`, {
    ...wrapping,
    format: 'cjs',
    platform: 'neutral',
    target: artifactBuildOptions.target,
    charset: artifactBuildOptions.charset,
    legalComments: artifactBuildOptions.legalComments,
    tsconfigRaw: {},
    minify: true,
    sourcemap: 'external',
    sourcefile: `${name}.js`,
    logLevel: 'silent',
  })
}
