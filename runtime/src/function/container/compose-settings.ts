import findMyWay from 'find-my-way'
import { inEnglish } from '../../in-english.ts'
import {
  type HttpMethod,
  type Settings,
  settingsDefaults,
  settingsSchema,
} from '../../manifest/settings.ts'
import { badDefinition, type DeclaredSettings } from './read-definition.ts'

/** A repository's own defaults, for functions that do not say. */
export type SettingsPolicy = Partial<
  Pick<Settings, 'timeoutMs' | 'maxBodyBytes' | 'maxConcurrency' | 'maxQueue'>
>

/**
 * Completes what a function declares: declaration, then policy, then Needle's defaults. Without
 * `http` it is `POST /<group>/<name>`; a GET is idempotent unless it says otherwise; `uses` is
 * sorted and free of repetitions.
 *
 * @throws RuntimeError `FUNCTION_BAD_DEFINITION` naming the key, for a path that cannot be routed and
 *   for probes that cannot be made too
 */
export function composeSettings(
  functionName: string,
  declared: DeclaredSettings,
  policy: SettingsPolicy = {},
): Settings {
  const method = declared.http?.method ?? 'POST'
  const path = declared.http?.path ?? `/${functionName}`
  const fault = pathFault(method, path)
  if (fault !== null)
    throw badDefinition(functionName, [{ path: ['http', 'path'], message: fault }])
  const completed = {
    ...settingsDefaults,
    ...policy,
    ...declared,
    http: { method, path },
    uses: [...new Set(declared.uses)].toSorted(),
    idempotent: declared.idempotent ?? method === 'GET',
  }
  const settings = settingsSchema.safeParse(completed, inEnglish)
  if (!settings.success) throw badDefinition(functionName, settings.error.issues)
  const probeFaults = findProbeFaults(settings.data)
  if (probeFaults.length > 0) throw badDefinition(functionName, probeFaults)
  return settings.data
}

/** What keeps `path` from being a route; null when nothing does. */
function pathFault(method: HttpMethod, path: string): string | null {
  if (!path.startsWith('/')) return `must start with "/", got "${path}"`
  if (/[#\s]|\?\w+=/.test(path))
    return `must be a path without query, fragment or spaces, got "${path}"`
  const router = findMyWay()
  try {
    router.on(method, path, () => undefined)
  } catch (error) {
    return `is no route: ${error instanceof Error ? error.message : String(error)}`
  }
  const names = parameterNames(path)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) return `names the parameter "${twice}" twice`
  if (names.includes('__proto__')) return 'may not name a parameter "__proto__"'
  return null
}

function parameterNames(path: string): string[] {
  return [...path.matchAll(/(?<![:?]):([^/:.()*?-]+)/g)].map((match) => match[1] ?? '')
}

/** What keeps example calls from being made. */
function findProbeFaults({ probes = [], idempotent, http }: Settings) {
  if (probes.length === 0) return []
  if (!idempotent) {
    const message =
      'are for functions that may be called twice with the same input: they are called without a user. Declare idempotent: true if that is so, or leave them out'
    return [{ path: ['probes'], message }]
  }
  const names = parameterNames(http.path)
  return probes.flatMap(({ params = {} }, index) => {
    const missing = names.filter(
      (name) => !Object.hasOwn(params, name) && !http.path.includes(`:${name}?`),
    )
    const unknown = Object.keys(params).filter((name) => name !== '*' && !names.includes(name))
    return [
      ...missing.map((name) => `lacks "${name}", which the path ${http.path} names`),
      ...unknown.map((name) => `has "${name}", which the path ${http.path} does not name`),
    ].map((message) => ({ path: ['probes', index, 'params'], message }))
  })
}
