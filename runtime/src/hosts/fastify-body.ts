import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Call } from '../function/call.ts'

/** In the place of a body that is larger than it may be. */
export class BodyTooLarge {
  readonly maxBytes: number

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }
}

/**
 * A request body as functions take it: text for JSON, forms and text in UTF-8, bytes for everything
 * else, null when there is none.
 */
export type FastifyBody = Call['body'] | BodyTooLarge

/** Reads a body of at most `maxBytes`; stops reading, and keeps nothing, as soon as it is larger. */
export function readFastifyBody(
  payload: IncomingMessage,
  { headers, maxBytes }: { readonly headers: IncomingHttpHeaders; readonly maxBytes: number },
  done: (error: Error | null, body?: FastifyBody) => void,
): void {
  if (Number(headers['content-length']) > maxBytes) return done(null, new BodyTooLarge(maxBytes))
  const chunks: Buffer[] = []
  let length = 0

  const onData = (chunk: Buffer): void => {
    length += chunk.length
    if (length <= maxBytes) return void chunks.push(chunk)
    payload.off('data', onData).off('end', onEnd).off('error', onError)
    payload.pause()
    done(null, new BodyTooLarge(maxBytes))
  }
  const onEnd = (): void => {
    // Node.js takes one that is left off by a slower way when the answer is finished.
    payload.off('data', onData)
    done(null, toBody(chunks, length, headers['content-type']))
  }
  const onError = (error: Error): void => {
    if (payload.readableEnded) return
    payload.off('data', onData).off('end', onEnd).off('error', onError)
    done(error)
  }
  payload.on('data', onData)
  payload.on('end', onEnd)
  payload.on('error', onError)
}

const textual = /^text\/|[/+]json\b|^application\/x-www-form-urlencoded\b/i

function toBody(
  chunks: readonly Buffer[],
  length: number,
  contentType: string | undefined,
): string | Uint8Array | null {
  if (length === 0) return null
  const [first] = chunks
  const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks, length)
  if (!isTextual(contentType)) return whole
  const text = whole.toString('utf8')
  // Bytes that are no UTF-8 stay bytes, so that they are refused instead of replaced.
  return text.includes('\uFFFD') && !isUtf8(whole) ? whole : text
}

function isTextual(contentType: string | undefined): boolean {
  if (contentType === undefined || contentType === 'application/json') return true
  return textual.test(contentType)
}
