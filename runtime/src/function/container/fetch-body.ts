import { streamFrom } from './web-streams.ts'

/**
 * What a response or a request is made of. An asynchronous list, which the host takes, too, it would
 * read where the watchdog can end no loop: that becomes a stream.
 */
export function toFetchBody(given: unknown): unknown {
  return isAsyncIterable(given) ? streamFrom(given) : given
}

function isAsyncIterable(body: unknown): boolean {
  if (typeof body !== 'object' || body === null || body instanceof ReadableStream) return false
  return Symbol.asyncIterator in body
}
