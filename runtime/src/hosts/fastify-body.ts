import { isUtf8 } from 'node:buffer'
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'

/** A request body as functions take it, or the news that it is too large. */
export interface BodyResult {
  /** How much it may be when it is more; else null. */
  readonly exceedsBytes: number | null
  /** Text for JSON, forms and text in UTF-8, bytes for everything else; null when there is none. */
  readonly body: string | Uint8Array | null
}

export const emptyBody: BodyResult = { exceedsBytes: null, body: null }

/** Reads a body of at most `maxBytes`; stops reading, and keeps nothing, as soon as it is larger. */
export function readFastifyBody(
  payload: IncomingMessage,
  { headers, maxBytes }: { readonly headers: IncomingHttpHeaders; readonly maxBytes: number },
  done: (error: Error | null, result?: BodyResult) => void,
): void {
  const tooLarge: BodyResult = { exceedsBytes: maxBytes, body: null }
  if (Number(headers['content-length']) > maxBytes) return done(null, tooLarge)
  const chunks: Buffer[] = []
  let length = 0

  const stop = (): void => {
    payload.off('data', onData)
    payload.off('end', onEnd)
    payload.off('error', onError)
  }
  const onData = (chunk: Buffer): void => {
    length += chunk.length
    if (length <= maxBytes) return void chunks.push(chunk)
    stop()
    payload.pause()
    done(null, tooLarge)
  }
  const onEnd = (): void => {
    // Node.js takes one that is left off by a slower way when the answer is finished.
    payload.off('data', onData)
    done(null, { exceedsBytes: null, body: toBody(chunks, length, headers['content-type']) })
  }
  const onError = (error: Error): void => {
    if (payload.readableEnded) return
    stop()
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
