import { builtinModules, isBuiltin } from 'node:module'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  artifactBuildOptions,
  builtinModuleSource,
  toAllowedBuiltin,
} from '@needle-faas/runtime/container'
import { type BuildFailure, type BuildOptions, type Message, type Plugin } from 'esbuild'
import * as z from 'zod'
import type { Issue } from '../errors.ts'
import type { FunctionSource } from '../functions/discover.ts'
import { runsFromSource } from '../runs-from-source.ts'
import type { Bundle } from './bundle.ts'
import { findBundleIssues } from './bundle-issues.ts'
import { bundleParts } from './bundle-parts.ts'
import { bundleWhole } from './bundle-whole.ts'
import { authoringModule, builtinMessage } from './source-issues.ts'

export type BundleResult =
  /** Sources of its map are relative to the repository root. */
  | { readonly status: 'bundled'; readonly bundle: Bundle }
  | { readonly status: 'refused'; readonly issues: readonly Issue[] }

export interface BundleOptions {
  /** Repository root, absolute and without symbolic links. */
  readonly directory: string
  /** Largest script. */
  readonly budgetBytes: number
}

/** Bundles a function that has no source issues. Evaluates nothing. */
export async function bundleFunction(
  source: FunctionSource,
  { directory, budgetBytes }: BundleOptions,
): Promise<BundleResult> {
  const entry = join(directory, source.entry)
  try {
    const request = { entry, directory, bundlerOptions }
    const { bundle, metafile } = await bundleParts(request)
    const { script, sourceMap } = bundle ?? (await bundleWhole(request))
    const issues = findBundleIssues(source, { script, metafile, budgetBytes })
    if (issues.length > 0) return { status: 'refused', issues }
    return {
      status: 'bundled',
      bundle: { script, sourceMap: normalizeSources(sourceMap, directory) },
    }
  } catch (error) {
    if (!isBuildFailure(error)) throw error
    return { status: 'refused', issues: toIssues(error.errors, source) }
  }
}

const builtinNamespace = 'needle-builtin'
const thisDirectory = fileURLToPath(new URL('.', import.meta.url))
const resolved = Symbol('resolved by this plugin')

/** Answers for what a container provides: allowed built-ins, and the authoring module of this very version. */
const platformModules: Plugin = {
  name: 'needle',
  setup: (esbuild) => {
    const builtins = new RegExp(`^(?:node:.*|(?:${builtinModules.join('|')})(?:/.*)?)$`)
    esbuild.onResolve({ filter: builtins }, ({ path }) => {
      if (!isBuiltin(path)) return undefined
      const builtin = toAllowedBuiltin(path)
      return builtin === null
        ? {
            errors: [
              { text: builtinMessage(path), detail: { builtin: path } satisfies BuiltinRefusal },
            ],
          }
        : { path: builtin, namespace: builtinNamespace }
    })
    esbuild.onLoad({ filter: /.*/, namespace: builtinNamespace }, ({ path }) => {
      const builtin = toAllowedBuiltin(path)
      return builtin === null ? undefined : { contents: builtinModuleSource(builtin), loader: 'js' }
    })
    esbuild.onResolve({ filter: /^@needle-faas\/runtime\/function$/ }, (found) =>
      found.pluginData === resolved
        ? undefined
        : esbuild.resolve(authoringModule, {
            kind: found.kind,
            resolveDir: thisDirectory,
            pluginData: resolved,
          }),
    )
  },
}

/** What every bundle of a function is made with, whatever it is for. */
export const bundlerOptions = {
  ...artifactBuildOptions,
  mainFields: [...artifactBuildOptions.mainFields],
  conditions: [...(runsFromSource ? ['needle-source'] : []), ...artifactBuildOptions.conditions],
  // the repository's own would make bytes depend on a file that is no input
  tsconfigRaw: {},
  logLevel: 'silent',
  plugins: [platformModules],
} satisfies BuildOptions

const sourceMapSchema = z.looseObject({ sources: z.array(z.string()) })

/** Packages may lie above the repository, and elsewhere in the next clone: their paths begin at `node_modules`. */
function normalizeSources(bytes: Uint8Array, directory: string): Uint8Array {
  const map = sourceMapSchema.parse(JSON.parse(Buffer.from(bytes).toString('utf8')))
  const sources = map.sources.map((source) => {
    if (source.startsWith(`${builtinNamespace}:`)) return source
    const path = relative(directory, resolve(directory, source)).replaceAll('\\', '/')
    const inPackages = path.indexOf('node_modules/')
    if (inPackages !== -1) return path.slice(inPackages)
    return path.startsWith('../') ? `needle:${path.slice(path.lastIndexOf('/') + 1)}` : path
  })
  return Buffer.from(JSON.stringify({ ...map, sources }))
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && 'errors' in error && Array.isArray(error.errors)
}

/**
 * What packages may not import is told once per function, with their names: their lines are not the
 * author's to change.
 */
function toIssues(messages: readonly Message[], source: FunctionSource): readonly Issue[] {
  const builtins = new Set<string>()
  const issues: Issue[] = []
  for (const message of messages) {
    const file = message.location?.file ?? ''
    const [, packageName] = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(file) ?? []
    if (isBuiltinRefusal(message.detail) && packageName !== undefined) {
      builtins.add(`${message.detail.builtin} (${packageName})`)
    } else {
      issues.push(toIssue(message, source))
    }
  }
  if (builtins.size === 0) return issues
  const message = `Packages it imports use Node.js built-ins that a function may not use: ${[...builtins].toSorted().join(', ')}. Use other packages, or move this work into a service.`
  return [
    ...issues,
    { code: 'IMPORT_BUILTIN', function: source.name, message, place: { file: source.entry } },
  ]
}

interface BuiltinRefusal {
  readonly builtin: string
}

function isBuiltinRefusal(detail: unknown): detail is BuiltinRefusal {
  return typeof detail === 'object' && detail !== null && 'builtin' in detail
}

function toIssue(message: Message, source: FunctionSource): Issue {
  const { text, location, detail } = message
  const code = isBuiltinRefusal(detail)
    ? 'IMPORT_BUILTIN'
    : text.startsWith('Could not resolve')
      ? 'IMPORT_UNRESOLVED'
      : text.startsWith('Top-level await')
        ? 'FUNCTION_TOP_LEVEL_AWAIT'
        : 'FUNCTION_SYNTAX'
  const advice = code === 'IMPORT_UNRESOLVED' ? ' Add it to package.json, or correct the name.' : ''
  return {
    code,
    function: source.name,
    message: `${text.replace(/\.?$/, '.')}${advice}`,
    place:
      location === null
        ? { file: source.entry }
        : { file: location.file, line: location.line, column: location.column + 1 },
  }
}
