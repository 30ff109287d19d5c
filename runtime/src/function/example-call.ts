import type { Settings } from '../manifest/settings.ts'
import type { Call } from './call.ts'

/** A request as a person writes it down; what is absent is empty. */
export interface ExampleRequest {
  /** Values of the path's parameters, decoded. */
  readonly params?: Readonly<Record<string, string>> | undefined
  /** A list repeats the key. */
  readonly query?: Readonly<Record<string, string | readonly string[]>> | undefined
  /** Sent as JSON; text and bytes as they are. */
  readonly body?: unknown
  /** Names in lower case. Default content type: JSON. */
  readonly headers?: Readonly<Record<string, string>> | undefined
}

/** What a host would have made of the request, had it come to this route. */
export function toExampleCall(
  request: ExampleRequest,
  http: Settings['http'],
): Pick<Call, 'method' | 'url' | 'headers' | 'params' | 'query' | 'body'> {
  const { params = {}, body } = request
  const query = toQuery(request.query ?? {})
  const path = http.path.replace(/:(\w+)/g, (as, name: string) =>
    encodeURIComponent(params[name] ?? as),
  )
  return {
    method: http.method,
    url: query === '' ? path : `${path}?${query}`,
    headers: { 'content-type': 'application/json', ...request.headers },
    params,
    query,
    body: toBody(body),
  }
}

function toQuery(fields: Readonly<Record<string, string | readonly string[]>>): string {
  const pairs = Object.entries(fields).flatMap(([name, values]) =>
    [values].flat().map((value): [string, string] => [name, value]),
  )
  return new URLSearchParams(pairs).toString()
}

function toBody(body: unknown): string | Uint8Array | null {
  if (body === undefined) return null
  return typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
}
