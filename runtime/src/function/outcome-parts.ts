import { validateHeaderName, validateHeaderValue } from 'node:http'
import type { OutcomeHeaders } from './outcome.ts'

/** Headers of a reply or an `HttpError` over those of every answer, names in lower case. Throws on what HTTP does not allow. */
export function mergeHeaders(
  base: OutcomeHeaders,
  own: Readonly<Record<string, string>>,
): OutcomeHeaders {
  const headers: Record<string, string | string[]> = { ...base }
  for (const [name, value] of Object.entries(own)) {
    validateHeaderName(name)
    validateHeaderValue(name, value)
    headers[name.toLowerCase()] = value
  }
  return headers
}

/** Headers of a web-standard response; several cookies stay several. */
export function responseHeaders(base: OutcomeHeaders, response: Response): OutcomeHeaders {
  const headers: Record<string, string | string[]> = { ...base }
  for (const [name, value] of response.headers) headers[name] = value
  const cookies = response.headers.getSetCookie()
  if (cookies.length > 0) headers['set-cookie'] = cookies
  return headers
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
