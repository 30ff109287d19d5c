import { Readable } from 'node:stream'
import { RuntimeError } from '../errors.ts'
import { tooLarge } from './too-large.ts'

/**
 * A response body as bytes. The signal that the request was sent with ends the body, too. Stops reading, and drops the connection, as soon as more than
 * `maxBytes` have arrived: what a server announces is not believed (TUF specification, 1.5.2:
 * endless data).
 *
 * @throws RuntimeError `DOCUMENT_TOO_LARGE`; `STORE_UNAVAILABLE` when the body ends before
 *   `expectedBytes`.
 */
export async function readCapped(
  body: unknown,
  limits: {
    readonly key: string
    readonly maxBytes: number
    readonly expectedBytes: number | undefined
  },
): Promise<Uint8Array> {
  const { key, maxBytes, expectedBytes } = limits
  if (!(body instanceof Readable)) return new Uint8Array()
  const chunks: Uint8Array[] = []
  let receivedBytes = 0
  if (expectedBytes !== undefined && expectedBytes > maxBytes) {
    body.destroy()
    throw tooLarge(key, maxBytes)
  }
  for await (const chunk of body) {
    if (!(chunk instanceof Uint8Array)) throw new TypeError('a body of text')
    receivedBytes += chunk.byteLength
    // Leaving the loop destroys the stream.
    if (receivedBytes > maxBytes) throw tooLarge(key, maxBytes)
    chunks.push(chunk)
  }
  if (expectedBytes !== undefined && receivedBytes !== expectedBytes) {
    throw new RuntimeError(
      'STORE_UNAVAILABLE',
      `${key} ended after ${receivedBytes} of ${expectedBytes} bytes; the connection broke`,
      { details: { key, receivedBytes, expectedBytes } },
    )
  }
  return Buffer.concat(chunks)
}
