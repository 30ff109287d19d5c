import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as z from 'zod'
import { PipelineError } from '../errors.ts'
import { needleConfigSchema } from './config-schema.ts'
import type { EnvironmentConfig, NeedleConfig } from './needle-config.ts'

/** Relative to the repository root. */
export const configFile = 'functions/needle.config.ts'

/** Largest bundle of one function unless the configuration says otherwise. */
export const defaultBundleBytes = 100 * 1024

/**
 * Loads the configuration of the repository at `directory`. The file is first-party TypeScript that
 * Node runs as it is; it must not import functions.
 *
 * @throws PipelineError `CONFIG_MISSING` or `CONFIG_INVALID`, with every problem and its key
 */
export async function loadConfig(directory: string): Promise<NeedleConfig> {
  return loadConfigFile(join(directory, configFile))
}

/** As `loadConfig`, for a file anywhere. */
export async function loadConfigFile(path: string): Promise<NeedleConfig> {
  const { mtimeMs } = await stat(path).catch((cause: unknown) => {
    throw new PipelineError(
      'CONFIG_MISSING',
      `There is no ${configFile}. Write one: export default defineConfig({ environments: { … } })`,
      { cause, details: { path } },
    )
  })
  // modules are cached by address: a changed file needs another one
  return parseConfig(await importDefault(`${pathToFileURL(path).href}?v=${Math.round(mtimeMs)}`))
}

/** The environment of this name, with `NEEDLE_STORE` and `NEEDLE_TRUST` taking precedence and paths made absolute. */
export function selectEnvironment(
  config: NeedleConfig,
  name: string,
  where: {
    readonly directory: string
    readonly env: Readonly<Record<string, string | undefined>>
  },
): EnvironmentConfig {
  const known = Object.keys(config.environments)
  const environment = config.environments[name] ?? previewBasis(config, name)
  if (environment === undefined) {
    throw new PipelineError(
      'ENVIRONMENT_UNKNOWN',
      `There is no environment "${name}" in ${configFile}. It has: ${known.join(', ')}.`,
      { details: { environment: name, known } },
    )
  }
  const store = where.env['NEEDLE_STORE'] ?? environment.store
  const trust = where.env['NEEDLE_TRUST'] ?? environment.trust
  return {
    ...environment,
    store: absoluteStore(store, where.directory),
    trust: resolve(where.directory, trust),
  }
}

/** Every `pr-<n>` lives on what the environment called `pr` says. */
function previewBasis(config: NeedleConfig, name: string): EnvironmentConfig | undefined {
  return /^pr-[0-9]+$/.test(name) ? config.environments['pr'] : undefined
}

function absoluteStore(store: string, directory: string): string {
  if (!store.startsWith('file:') || store.startsWith('file://')) return store
  return `file:${resolve(directory, store.slice('file:'.length))}`
}

async function importDefault(href: string): Promise<unknown> {
  try {
    const module: unknown = await import(href)
    return typeof module === 'object' && module !== null && 'default' in module
      ? module.default
      : undefined
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new PipelineError('CONFIG_INVALID', `${configFile} does not load: ${reason}`, { cause })
  }
}

function parseConfig(value: unknown): NeedleConfig {
  if (value === undefined) {
    throw new PipelineError(
      'CONFIG_INVALID',
      `${configFile} has no default export. Write: export default defineConfig({ … })`,
    )
  }
  const parsed = needleConfigSchema.safeParse(value)
  if (parsed.success) return Object.freeze(parsed.data)
  const problems = parsed.error.issues.flatMap(toProblems)
  throw new PipelineError(
    'CONFIG_INVALID',
    `${configFile} has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}: ${problems.join('; ')}.`,
    { details: { problems } },
  )
}

function isAboutParts(issues: readonly z.core.$ZodIssue[]): boolean {
  return issues.every(({ code, path }) => path.length > 0 || code === 'unrecognized_keys')
}

function toProblems(issue: z.core.$ZodIssue): string[] {
  const key = issue.path.join('.')
  // of the shapes a value may have, the one it comes closest to says what is wrong
  const closest = issue.code === 'invalid_union' ? issue.errors.find(isAboutParts) : undefined
  if (closest !== undefined) {
    return closest.flatMap((part) => toProblems({ ...part, path: [...issue.path, ...part.path] }))
  }
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((name) => `${[...issue.path, name].join('.')}: no such key`)
  }
  // a bad key of a record carries its reason one level down
  const reason =
    issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message
  return [`${key === '' ? 'default export' : key}: ${reason}`]
}
