import createRouter from 'find-my-way'
import { RuntimeError } from '../errors.ts'
import { type HttpMethod, httpMethods } from '../manifest/settings.ts'

/** Where a function wants to be reached. */
export interface RouteEntry {
  /** `<group>/<name>`. */
  readonly function: string
  readonly method: HttpMethod
  /** In find-my-way syntax, below the host's prefix: `/shop/card/:userId`. */
  readonly path: string
}

export type RouteMatch =
  | {
      readonly status: 'found'
      readonly function: string
      /** Decoded. */
      readonly params: Readonly<Record<string, string | undefined>>
      /** Raw, without `?`; empty when there is none. */
      readonly query: string
    }
  | { readonly status: 'notFound' }
  /** The path is known, but not for this method; `allow` lists those it is known for, HEAD included. */
  | { readonly status: 'methodNotAllowed'; readonly allow: readonly string[] }

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

/** As `createRouteTable`, for who has other things to do in between: a route takes about 20 µs. */
export function startRouteTable(): RouteTableBuilder {
  const router = createRouter({ querystringParser: passThrough, maxParamLength: 500 })
  const refusals = new Map<string, RuntimeError>()
  const literals = new Map<string, Map<string, RouteMatch>>()

  const find = (method: string, url: string): RouteMatch | null => {
    if (!isHttpMethod(method)) return null
    const found = router.find(method, url)
    if (found === null) return null
    const name: unknown = found.store
    if (typeof name !== 'string') return null
    const query: unknown = found.searchParams
    return {
      status: 'found',
      function: name,
      params: found.params,
      query: typeof query === 'string' ? query : '',
    }
  }

  const table: RouteTable = {
    match: (method, url) => {
      const literal = literals.get(method)?.get(url)
      if (literal !== undefined) return literal
      const found = find(method === 'HEAD' ? 'GET' : method, url)
      if (found !== null) return found
      const allow = httpMethods.filter((other) => find(other, url) !== null)
      if (allow.length === 0) return { status: 'notFound' }
      return {
        status: 'methodNotAllowed',
        allow: allow.flatMap((other) => (other === 'GET' ? ['GET', 'HEAD'] : [other])),
      }
    },
  }

  return {
    add: (entry) => {
      const refusal = addRoute(router, entry)
      if (refusal !== null) refusals.set(entry.function, refusal)
      else if (literalPath.test(entry.path)) addLiteral(literals, entry)
    },
    build: () => ({ table, refusals }),
  }
}

type Router = ReturnType<typeof createRouter>

// Functions parse their own query, and only when they are called.
const passThrough = (query: string): string => query

const unusedHandler = (): void => {}

const optionalParameter = /(\/:[^/()]*?)\?(\/?)$/

/** Without parameters, and the same before and after decoding: found by the address as it came. */
const literalPath = /^[\w\-./~]+$/

function addLiteral(
  literals: Map<string, Map<string, RouteMatch>>,
  { function: name, method, path }: RouteEntry,
): void {
  const found: RouteMatch = { status: 'found', function: name, params: noParams, query: '' }
  for (const served of method === 'GET' ? ['GET', 'HEAD'] : [method]) {
    const paths = literals.get(served) ?? new Map<string, RouteMatch>()
    literals.set(served, paths.set(path, Object.freeze(found)))
  }
}

const noParams = Object.freeze({})

/** find-my-way registers a path that ends in `/:id?` twice; both must be free before either is taken. */
function variantsOf(path: string): string[] {
  return optionalParameter.test(path)
    ? [path.replace(optionalParameter, '$1$2'), path.replace(optionalParameter, '$2') || '/']
    : [path]
}

function addRoute(router: Router, entry: RouteEntry): RuntimeError | null {
  const { method, path } = entry
  const details = { function: entry.function, route: `${method} ${path}` }
  try {
    for (const variant of variantsOf(path)) {
      const owner: unknown = router.findRoute(method, variant)?.store
      if (typeof owner === 'string') {
        return new RuntimeError(
          'ROUTE_CONFLICT',
          `${entry.function} and ${owner} both want ${method} ${path}; ${owner} keeps it. Change the path or method of one of them.`,
          { details: { ...details, owner } },
        )
      }
    }
    router.on(method, path, unusedHandler, entry.function)
    return null
  } catch (cause) {
    return new RuntimeError(
      'FUNCTION_BAD_DEFINITION',
      `${entry.function} has a path the router cannot use: ${path}. Write it like /shop/card/:userId.`,
      { cause, details },
    )
  }
}

function isHttpMethod(method: string): method is HttpMethod {
  return (httpMethods as readonly string[]).includes(method)
}
