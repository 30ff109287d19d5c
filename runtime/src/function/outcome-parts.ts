import type { OutcomeHeaders } from './outcome.ts'

// An import reads everything that `node:http` exports, and one getter among it loads all of `fetch`:
// see container/fetch-classes.ts.
const { validateHeaderName, validateHeaderValue } = process.getBuiltinModule('node:http')

/**
 * What is not a function's to say. Which revision answered: an upstream that runs Needle, too, says it
 * of its own. And what is said of one connection (RFC 9110, section 7.6.1) and of where its messages
 * end: Node.js sends a length that is wrong as it is, and what exceeds it is read by the next client
 * of a shared connection as its own answer (response splitting, CWE-113). They come with the headers
 * of an upstream's answer whose body is handed on decoded.
 */
const hostHeaders: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-needle-fallback',
  'x-needle-revision',
])

/**
 * Headers of a reply or an `HttpError` over those of every answer, names in lower case, without those
 * that are the host's, nor a coding: their body is text. Throws on what HTTP does not allow.
 */
export function mergeHeaders(
  base: OutcomeHeaders,
  own: Readonly<Record<string, string>>,
): OutcomeHeaders {
  return addHeaders(base, Object.entries(own), { isCoded: false })
}

/**
 * Headers of a web-standard response, without those that are the host's; several cookies stay several.
 * A coding (RFC 9110, section 8.4) is the function's to say of bytes it has made, but not of text, nor
 * of what somebody has fetched: `fetch` decodes a body and leaves the header as it was, and no client
 * could read the answer.
 */
export function responseHeaders(
  base: OutcomeHeaders,
  response: Response,
  { isText }: { readonly isText: boolean },
): OutcomeHeaders {
  const isCoded = !isText && response.url === ''
  const headers = addHeaders(base, response.headers, { isCoded })
  // A subclass may give anything.
  const cookies = toText('set-cookie', response.headers.getSetCookie())
  return cookies.length > 0 ? { ...headers, 'set-cookie': cookies } : headers
}

function addHeaders(
  base: OutcomeHeaders,
  own: Iterable<[string, unknown]>,
  { isCoded }: { readonly isCoded: boolean },
): OutcomeHeaders {
  const headers: Record<string, string | string[]> = { ...base }
  for (const [name, value] of own) {
    validateHeaderName(name)
    const key = name.toLowerCase()
    if (!isCoded && key === 'content-encoding') continue
    if (!hostHeaders.has(key)) headers[key] = toText(name, value)
  }
  return headers
}

/** Far more than a client takes of one name. */
const maxListed = 1000

/**
 * Whatever types say, text: the host sets it where nothing catches what an object's `toString` throws.
 * A list is an author's, and so are its methods: it is read by index, and once.
 */
function toText(name: string, value: unknown): string | string[] {
  if (!Array.isArray(value)) return toLine(name, value)
  const { length } = value
  if (!(length <= maxListed)) {
    throw new RangeError(`The header "${name}" must have ${maxListed} values at most`)
  }
  const lines: string[] = []
  for (let at = 0; at < length; at += 1) lines.push(toLine(name, value[at]))
  return lines
}

function toLine(name: string, value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
    throw new TypeError(`The value of the header "${name}" must be text, got ${typeof value}`)
  }
  const text = String(value)
  validateHeaderValue(name, text)
  return text
}

/** The status, if an answer may have it. Throws otherwise. */
export function assertStatus(status: number): number {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status
  throw new RangeError(`The status of an answer must be an integer from 200 to 599, got ${status}`)
}

/** RFC 9110, sections 15.3.5, 15.3.6 and 15.4.5. */
export function mayHaveBody(status: number): boolean {
  return status !== 204 && status !== 205 && status !== 304
}
