import { createRouteTable } from '@needle-faas/runtime/routing'
import type { Settings } from '@needle-faas/runtime/manifest'
import type { NeedleConfig } from '../config/needle-config.ts'
import type { Issue, Place } from '../errors.ts'

/** A function as the others see it. */
export interface Neighbour {
  readonly name: string
  readonly settings: Settings
  /** Text of its entry, to point at a line of it. */
  readonly entryText: string
}

export interface WholeOptions {
  readonly environments: NeedleConfig['environments']
  /** Its services are demanded; null: those of any environment will do. */
  readonly environment: string | null
}

/** What is wrong between functions that are each right by themselves: routes twice, services nobody offers. Pure. */
export function findWholeIssues(
  functions: readonly Neighbour[],
  options: WholeOptions,
): readonly Issue[] {
  return [...routeIssues(functions), ...serviceIssues(functions, options)]
}

function routeIssues(functions: readonly Neighbour[]): Issue[] {
  const byName = new Map(functions.map((neighbour) => [neighbour.name, neighbour]))
  const { refusals } = createRouteTable(
    functions.map(({ name, settings }) => ({ function: name, ...settings.http })),
  )
  return [...refusals].map(([name, refusal]) => {
    const neighbour = byName.get(name)
    const path = neighbour?.settings.http.path ?? ''
    const owner = refusal.details['owner']
    const message =
      refusal.code === 'ROUTE_CONFLICT' && typeof owner === 'string'
        ? `${name} and ${owner} both answer ${neighbour?.settings.http.method} ${path}. Change the path or method of one of them.`
        : refusal.message
    return {
      code: refusal.code === 'ROUTE_CONFLICT' ? 'ROUTE_CONFLICT' : 'FUNCTION_BAD_DEFINITION',
      function: name,
      message,
      place: placeOf(name, neighbour?.entryText ?? '', path),
    }
  })
}

function serviceIssues(
  functions: readonly Neighbour[],
  { environments, environment }: WholeOptions,
): Issue[] {
  const known = new Set(Object.values(environments).flatMap(({ services }) => services))
  const offered =
    environment === null
      ? known
      : new Set((environments[environment] ?? environments['pr'])?.services)
  return functions.flatMap(({ name, settings, entryText }) =>
    settings.uses
      .filter((service) => !offered.has(service))
      .map((service): Issue => {
        const place = placeOf(name, entryText, service)
        return known.has(service)
          ? {
              code: 'SERVICE_NOT_OFFERED',
              function: name,
              message: `It uses the service "${service}", which environment "${environment}" does not offer. Offer it in its BFFs and name it in functions/needle.config.ts first.`,
              place,
            }
          : {
              code: 'SERVICE_UNKNOWN',
              function: name,
              message: `It uses the service "${service}", which no environment declares. Declared are: ${[...known].toSorted().join(', ') || 'none'}. See functions/needle.config.ts.`,
              place,
            }
      }),
  )
}

/** The first line of the entry that holds the text in quotes; else the file. */
function placeOf(name: string, entryText: string, text: string): Place {
  const file = `functions/${name}/index.ts`
  const line = entryText
    .split('\n')
    .findIndex((content) => [`'${text}'`, `"${text}"`].some((quoted) => content.includes(quoted)))
  return line === -1 ? { file } : { file, line: line + 1 }
}
