import type { HttpMethod } from '../manifest/settings.ts'
import type { RouteEntry, RouteMatch } from './route.ts'

/**
 * Routes without parameters, which most functions have. They are looked up: a router compiles code for
 * each of its routes, which took a tenth of a start with a thousand of them, and finds them more slowly.
 */
export interface LiteralRoutes {
  add(entry: RouteEntry): void
  /** By the address as it came, below the host's prefix; null when it is none of these. */
  find(method: HttpMethod, url: string): RouteMatch | null
  /** As `find`, for any method, where neither query nor escapes are to be looked at: most requests. */
  findExact(method: string, url: string): RouteMatch | null
}

/** Without parameters, and the same before and after decoding. */
export function isLiteral(path: string): boolean {
  return literalPath.test(path)
}

const literalPath = /^\/[\w\-./~]*$/

export function createLiteralRoutes(): LiteralRoutes {
  const found = new Map<string, Map<string, RouteMatch>>()
  const findExact = (method: string, url: string): RouteMatch | null =>
    found.get(method)?.get(url) ?? null

  return {
    add: ({ function: name, method, path }) => {
      const match: RouteMatch = { status: 'found', function: name, params: noParams, query: '' }
      for (const served of method === 'GET' ? ['GET', 'HEAD'] : [method]) {
        const paths = found.get(served) ?? new Map<string, RouteMatch>()
        found.set(served, paths.set(path, Object.freeze(match)))
      }
    },
    findExact,
    find: (method, url) => {
      const end = url.search(/[?#]/)
      const path = end === -1 ? url : url.slice(0, end)
      const match = findExact(method, path.includes('%') ? decode(path) : path)
      if (match?.status !== 'found' || end === -1) return match
      return { ...match, query: url.slice(end + 1) }
    },
  }
}

const noParams = Object.freeze({})

/** What stands for a delimiter stays as it is, `%2F` above all: it belongs to a segment (RFC 3986, 2.2). */
function decode(path: string): string {
  try {
    return decodeURI(path)
  } catch {
    return path
  }
}
