import { isUint8Array } from 'node:util/types'
import { toFetchBody } from './fetch-body.ts'

const bodies = new WeakMap<Response, string | Uint8Array>()

/**
 * The host's class, for a container: remembers of what body each was made. Such an answer is whole from
 * the start, whereas to read it as a stream takes microtasks from its making on, any of which is lost
 * where another function is ended.
 */
export function wholeResponse(): typeof Response {
  return (made ??= make())
}

let made: typeof Response | null = null

// When it is first read, and not before: see fetch-classes.ts.
const make = (): typeof Response =>
  new Proxy(Response, {
    construct: (target, [given, ...rest]: unknown[], newTarget) => {
      const body = toFetchBody(given)
      const response: object = Reflect.construct(target, [body, ...rest], newTarget)
      if (response instanceof Response) remember(response, body)
      return response
    },
    get: (target, name, receiver) =>
      name === 'json' ? responseOfJson : Reflect.get(target, name, receiver),
  })

/** The body it was made of; null when that was a stream, or when somebody reads it already. */
export function wholeBodyOf(response: Response): string | Uint8Array | null {
  const body = bodies.get(response) ?? null
  return response.bodyUsed || response.body?.locked === true ? null : body
}

function remember(response: Response, body: unknown): void {
  if (typeof body === 'string') bodies.set(response, body)
  // A copy, as the response has one: the function may use its memory again.
  else if (isUint8Array(body)) bodies.set(response, Uint8Array.from(body))
}

/** As `Response.json`, which makes an instance of the host's own class. */
function responseOfJson(data: unknown, init?: ResponseInit): Response {
  const text: unknown = JSON.stringify(data)
  if (typeof text !== 'string') throw new TypeError(`A ${typeof data} has no JSON`)
  const headers = new Headers(init?.headers)
  if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  return new (wholeResponse())(text, { ...init, headers })
}
