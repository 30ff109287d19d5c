import type { Outcome } from '../../src/function/call.ts'
import type { IncomingCall, Runtime } from '../../src/runtime.ts'

export interface Answer extends Pick<Outcome, 'status' | 'headers' | 'errorCode'> {
  /** Parsed, when it is JSON; the text of a stream, null when it broke off. */
  readonly body: unknown
}

/**
 * What the runtime answers a request of nobody in particular, once it has answered to the end; a GET
 * of `shop/card` unless said otherwise.
 */
export async function call(
  runtime: Runtime,
  url = '/shop/card',
  parts: Partial<IncomingCall> = {},
): Promise<Answer> {
  const { status, headers, errorCode, body, ended } = await runtime.handle({
    requestId: 'r1',
    method: 'GET',
    url,
    headers: {},
    body: null,
    caller: {},
    ...parts,
  })
  const answer = { status, headers, errorCode }
  if (!(body instanceof ReadableStream)) {
    return { ...answer, body: typeof body === 'string' ? JSON.parse(body) : body }
  }
  const text = await new Response(body).text().catch(() => null)
  await ended
  return { ...answer, body: text }
}
