import createRouter from 'find-my-way'
import type { HttpMethod } from '../manifest/settings.ts'
import type { RouteEntry, RouteMatch } from './route.ts'

/** All routes but literal ones, by find-my-way: with parameters, or with letters that addresses escape. */
export interface PatternRoutes {
  /** To be called when nobody has any of its `variantsOf`. @throws Error when it is no path of find-my-way's. */
  add(entry: RouteEntry): void
  /** By the address as it came, below the host's prefix; null when it is none of these. */
  find(method: HttpMethod, url: string): RouteMatch | null
  /** Whose this variant of a path is, whatever its parameters are called. */
  ownerOf(method: HttpMethod, variant: string): string | null
}

export function createPatternRoutes(): PatternRoutes {
  const router = createRouter({ querystringParser: passThrough, maxParamLength: 500 })
  return {
    add: ({ method, path, function: name }) => router.on(method, path, unusedHandler, name),
    find: (method, url) => {
      const found = router.find(method, url)
      const name: unknown = found?.store
      if (found === null || typeof name !== 'string') return null
      const query: unknown = found.searchParams
      return {
        status: 'found',
        function: name,
        params: found.params,
        query: typeof query === 'string' ? query : '',
      }
    },
    ownerOf: (method, variant) => {
      const owner: unknown = router.findRoute(method, variant)?.store
      return typeof owner === 'string' ? owner : null
    },
  }
}

/** find-my-way registers a path that ends in `/:id?` twice; both must be free before either is taken. */
export function variantsOf(path: string): string[] {
  return optionalParameter.test(path)
    ? [path.replace(optionalParameter, '$1$2'), path.replace(optionalParameter, '$2') || '/']
    : [path]
}

const optionalParameter = /(\/:[^/()]*?)\?(\/?)$/

// Functions parse their own query, and only when they are called.
const passThrough = (query: string): string => query

const unusedHandler = (): void => {}
