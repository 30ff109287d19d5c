import type { AllowedBuiltin } from './allowed-builtins.ts'

/**
 * An artifact is one classic script (UTF-8, no module syntax left) that, run once, sets the global
 * variable of this name to the entry module's exports: `{ default: … }`. esbuild does that with
 * `format: 'iife'` and `globalName`. Classic scripts are what `node:vm` loads without retaining
 * the code of replaced revisions (nodejs/node#33439, #63186).
 *
 * It may say which part of it is packages (`artifact-parts.ts`).
 */
export const artifactGlobalName = '__needle_function'

/** Key on the container's global object: a function from an allowed specifier to the module. */
export const builtinAccessorKey = 'needle.builtin'

/**
 * What a bundler must be told, in esbuild's words. Not here, because they do not change the format:
 * entry point, `absWorkingDir`, source map, minification, plugins.
 *
 * `neutral` keeps packages from choosing their Node.js build, which would ask for built-ins a
 * container does not have.
 */
export const artifactBuildOptions = {
  bundle: true,
  format: 'iife',
  globalName: artifactGlobalName,
  platform: 'neutral',
  mainFields: ['module', 'main'],
  conditions: ['module', 'import', 'default'],
  target: 'node24',
  charset: 'utf8',
  legalComments: 'none',
  define: { 'process.env.NODE_ENV': '"production"' },
} as const

/**
 * The CommonJS source a bundler puts in the place of an allowed built-in. `specifier` carries the
 * `node:` prefix, however the author wrote it.
 */
export function builtinModuleSource(specifier: AllowedBuiltin): string {
  return `module.exports = globalThis[Symbol.for(${JSON.stringify(builtinAccessorKey)})](${JSON.stringify(specifier)})`
}

/** The file name a revision's script runs under: what stack traces and the inspector show. */
export function scriptUrl(revisionId: string): string {
  return `needle:///${revisionId}.js`
}

/** The revision a script URL names, or null when it is none of ours. */
export function revisionIdOf(url: string): string | null {
  return /^needle:\/\/\/(.+)\.js$/.exec(url)?.[1] ?? null
}
