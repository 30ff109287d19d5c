import { RuntimeError } from '../errors.ts'
import { type HttpMethod, httpMethods } from '../manifest/settings.ts'
import { createLiteralRoutes, isLiteral } from './literal-routes.ts'
import { createPatternRoutes, variantsOf } from './pattern-routes.ts'
import type { RouteEntry, RouteMatch } from './route.ts'

export type { RouteEntry, RouteMatch } from './route.ts'

export interface RouteTable {
  /** Serves HEAD by the function that serves GET. `url` is path and query below the host's prefix. */
  match(method: string, url: string): RouteMatch
}

export interface RouteTableResult {
  readonly table: RouteTable
  /** Per function that got no route: `ROUTE_CONFLICT` or `FUNCTION_BAD_DEFINITION`. */
  readonly refusals: ReadonlyMap<string, RuntimeError>
}

/** A table in the making. */
export interface RouteTableBuilder {
  /** Of two functions that want one route the earlier entry gets it: put first what already serves. */
  add(entry: RouteEntry): void
  /** To be called once, after all entries. */
  build(): RouteTableResult
}

/** A table of these routes, built whole so that it can be swapped in one assignment. */
export function createRouteTable(entries: Iterable<RouteEntry>): RouteTableResult {
  const builder = startRouteTable()
  for (const entry of entries) builder.add(entry)
  return builder.build()
}

/** As `createRouteTable`, for who has other things to do in between: a pattern takes about 40 µs. */
export function startRouteTable(): RouteTableBuilder {
  const literals = createLiteralRoutes()
  const patterns = createPatternRoutes()
  const refusals = new Map<string, RuntimeError>()
  /** By method and path: those without parameters, whoever serves them. */
  const owners = new Map<string, string>()

  // A path without parameters goes first, as in any router.
  const find = (method: HttpMethod, url: string): RouteMatch | null =>
    literals.find(method, url) ?? patterns.find(method, url)

  const table: RouteTable = {
    match: (method, target) => {
      const exact = literals.findExact(method, target)
      if (exact !== null) return exact
      const url = toOriginForm(target)
      const served = method === 'HEAD' ? 'GET' : method
      const found = isHttpMethod(served) ? find(served, url) : null
      if (found !== null) return found
      const allow = httpMethods.filter((other) => find(other, url) !== null)
      if (allow.length === 0) return { status: 'notFound' }
      return {
        status: 'methodNotAllowed',
        allow: allow.flatMap((other) => (other === 'GET' ? ['GET', 'HEAD'] : [other])),
      }
    },
  }

  const ownerOf = (method: HttpMethod, path: string): string | null =>
    isLiteral(path) ? (owners.get(`${method} ${path}`) ?? null) : patterns.ownerOf(method, path)

  const addUnlessTaken = (entry: RouteEntry): RuntimeError | null => {
    const { method, path } = entry
    const variants = variantsOf(path)
    try {
      for (const variant of variants) {
        const owner = ownerOf(method, variant)
        if (owner !== null) return conflict(entry, owner)
      }
      if (isLiteral(path)) literals.add(entry)
      else patterns.add(entry)
    } catch (cause) {
      return unusable(entry, cause)
    }
    for (const variant of variants) {
      if (isLiteral(variant)) owners.set(`${method} ${variant}`, entry.function)
    }
    return null
  }

  return {
    add: (entry) => {
      const refusal = addUnlessTaken(entry)
      if (refusal !== null) refusals.set(entry.function, refusal)
    },
    build: () => ({ table, refusals }),
  }
}

/** The absolute form of a request's target (RFC 9112, 3.2.2) without what is the host's. */
function toOriginForm(target: string): string {
  if (target.startsWith('/')) return target
  const url = URL.parse(target)
  return url === null ? target : url.pathname + url.search
}

function conflict(entry: RouteEntry, owner: string): RuntimeError {
  const { method, path } = entry
  return new RuntimeError(
    'ROUTE_CONFLICT',
    `${entry.function} and ${owner} both want ${method} ${path}; ${owner} keeps it. Change the path or method of one of them.`,
    { details: { function: entry.function, route: `${method} ${path}`, owner } },
  )
}

function unusable({ function: name, method, path }: RouteEntry, cause: unknown): RuntimeError {
  return new RuntimeError(
    'FUNCTION_BAD_DEFINITION',
    `${name} has a path the router cannot use: ${path}. Write it like /shop/card/:userId.`,
    { cause, details: { function: name, route: `${method} ${path}` } },
  )
}

function isHttpMethod(method: string): method is HttpMethod {
  return (httpMethods as readonly string[]).includes(method)
}
