import type { Logger } from './function/authoring/function-context.ts'
import type { Call } from './function/call.ts'
import { parseCookies } from './function/parse-cookies.ts'
import type { StickyKeySource } from './manifest/sticky-key-source.ts'

/** The header by which a client, or a gateway in front, names who is asking. */
export const stickyKeyHeader = 'x-needle-key'

/** Who is asking: the same key stays on its side of a rollout. Never throws. */
export type StickyKey = (call: Call, source: StickyKeySource | undefined) => string

export interface StickyKeyOptions {
  /** The host's `stickyKey` option. */
  readonly ofHost: ((call: Call) => unknown) | undefined
  readonly log: Pick<Logger, 'warn'>
}

/**
 * The first key that a request has: by what the rollout's policy names, which knows the function; by
 * what the host says for all functions, which knows its sessions; by `defaultStickyKey`. Empty text is
 * none, nor is anything but text and numbers, nor what throws, which is logged.
 */
export function createStickyKey({ ofHost, log }: StickyKeyOptions): StickyKey {
  const attempt = (what: string, read: () => unknown): string | undefined => {
    try {
      return toKey(read())
    } catch (error) {
      log.warn(`${what} threw; the next sticky key there is was used`, { error: String(error) })
      return undefined
    }
  }
  return (call, source) =>
    (source && attempt("The caller that a rollout's stickyKey names", () => find(source, call))) ??
    (ofHost && attempt('The stickyKey option', () => ofHost(call))) ??
    defaultStickyKey(call)
}

/**
 * Who is asking when neither policy nor host says: the `x-needle-key` header, else the first address
 * of `x-forwarded-for` (behind a proxy the client's address is the proxy's), else the client's
 * address. A call without any of them is not sticky.
 */
function defaultStickyKey(call: Call): string {
  const { headers } = call
  return (
    toKey(first(headers[stickyKeyHeader])) ??
    toKey(first(headers['x-forwarded-for'])?.split(',', 1)[0]?.trim()) ??
    call.clientAddress ??
    call.requestId
  )
}

function find({ httpHeaderName, httpCookie, caller }: StickyKeySource, call: Call): unknown {
  if (httpHeaderName !== undefined) return first(call.headers[httpHeaderName.toLowerCase()])
  if (httpCookie !== undefined) {
    return parseCookies(String(call.headers['cookie'] ?? ''))[httpCookie.name]
  }
  return caller === undefined ? undefined : follow(caller.split('.'), call.caller)
}

function follow(path: readonly string[], value: unknown): unknown {
  return path.reduce<unknown>(
    (at, name) => (typeof at === 'object' && at !== null ? Reflect.get(at, name) : undefined),
    value,
  )
}

function first(header: string | readonly string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : header?.[0]
}

function toKey(value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  return typeof value === 'string' && value !== '' ? value : undefined
}
