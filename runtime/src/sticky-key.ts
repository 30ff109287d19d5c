import type { Call } from './function/call.ts'

/** The header by which a client, or a gateway in front, names who is asking. */
export const stickyKeyHeader = 'x-needle-key'

/**
 * Who is asking when the host does not say: the `x-needle-key` header, else the first address of
 * `x-forwarded-for` (behind a proxy the client's address is the proxy's), else the client's
 * address. A call without any of them is not sticky.
 */
export function defaultStickyKey(call: Call): string {
  const { headers } = call
  return (
    first(headers[stickyKeyHeader]) ??
    first(headers['x-forwarded-for'])?.split(',', 1)[0]?.trim() ??
    call.clientAddress ??
    call.requestId
  )
}

function first(header: string | string[] | undefined): string | undefined {
  const value = Array.isArray(header) ? header[0] : header
  return value === '' ? undefined : value
}
