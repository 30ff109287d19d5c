import type { Metafile } from 'esbuild'
import { parseSync } from 'oxc-parser'
import type { Issue } from '../errors.ts'
import { type FunctionSource, sharedFolder } from '../functions/discover.ts'
import { isPackageFile } from './package-file.ts'

interface Bundled {
  readonly script: Uint8Array
  readonly metafile: Metafile | undefined
  readonly budgetBytes: number
}

/** What only the finished bundle shows: its size, files that slipped in, and calls packages left over. */
export function findBundleIssues(source: FunctionSource, bundled: Bundled): readonly Issue[] {
  return [
    ...outsideIssues(source, bundled),
    ...leftoverIssues(source, bundled),
    ...budgetIssues(source, bundled),
  ]
}

/**
 * A package name may lead to a folder of the repository (a workspace, a linked package). Its files
 * are no inputs, so a change there would not be seen: refused.
 */
function outsideIssues(source: FunctionSource, { metafile }: Bundled): readonly Issue[] {
  const allowed = [`${source.directory}/`, `functions/${source.group}/${sharedFolder}/`]
  return Object.keys(metafile?.inputs ?? {})
    .filter((path) => !isPackageFile(path) && !/^needle-[a-z]+:/.test(path))
    .filter((path) => !allowed.some((prefix) => path.startsWith(prefix)))
    .map((path) => ({
      code: 'IMPORT_OUTSIDE',
      function: source.name,
      message: `The bundle contains ${path}, which lies outside the function, its group's ${sharedFolder} and installed packages. Move it to one of these.`,
      place: { file: source.entry },
    }))
}

/** esbuild leaves what it cannot follow for run time, where a container has neither. */
function leftoverIssues(source: FunctionSource, { script }: Bundled): readonly Issue[] {
  const text = Buffer.from(script).toString('utf8')
  const issues: Issue[] = []
  if (text.includes('Dynamic require of "')) {
    issues.push({
      code: 'FUNCTION_REQUIRE',
      function: source.name,
      message:
        'A package it imports calls require in a way that cannot be bundled. Use another package, or its ES module.',
      place: { file: source.entry },
    })
  }
  if (/\bimport\s*\(/.test(text)) {
    const { module } = parseSync('function.js', text, { sourceType: 'script' })
    if (module.dynamicImports.length > 0) {
      issues.push({
        code: 'FUNCTION_COMPUTED_IMPORT',
        function: source.name,
        message:
          'A package it imports calls import() with a computed name, which cannot be bundled. Use another package.',
        place: { file: source.entry },
      })
    }
  }
  return issues
}

function budgetIssues(
  source: FunctionSource,
  { script, metafile, budgetBytes }: Bundled,
): readonly Issue[] {
  if (script.byteLength <= budgetBytes) return []
  return [
    {
      code: 'BUNDLE_TOO_LARGE',
      function: source.name,
      message: `The bundle has ${toKiB(script.byteLength)}, its budget is ${toKiB(budgetBytes)}. Largest: ${largest(metafile)}. Import less, or raise budget.bundleBytes in needle.config.ts.`,
      place: { file: source.entry },
    },
  ]
}

/** The three packages or files that take most of the bundle. */
function largest(metafile: Metafile | undefined): string {
  const bytes = new Map<string, number>()
  for (const output of Object.values(metafile?.outputs ?? {})) {
    for (const [path, { bytesInOutput }] of Object.entries(output.inputs)) {
      const [, inPackage] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path) ?? []
      const name = inPackage ?? path
      bytes.set(name, (bytes.get(name) ?? 0) + bytesInOutput)
    }
  }
  return [...bytes]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, 3)
    .map(([name, size]) => `${name} ${toKiB(size)}`)
    .join(', ')
}

function toKiB(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KiB`
}
