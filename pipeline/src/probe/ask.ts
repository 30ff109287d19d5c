import { PipelineError } from '../errors.ts'

/** What answered a request. */
export interface Answer {
  readonly status: number
  /** `x-needle-revision`, which every answer of a function carries; null: no function answered. */
  readonly revision: string | null
}

/** Waited for at most, in milliseconds. */
const timeoutMs = 30_000

/** @throws PipelineError `PROBE_REFUSED`: nobody answers there */
export async function ask(
  url: URL,
  request: {
    readonly method: string
    readonly headers: Readonly<Record<string, string>>
    /** Sent as JSON, text as it is. */
    readonly body?: unknown
    readonly signal: AbortSignal
  },
): Promise<Answer> {
  const { method, headers, body, signal } = request
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  try {
    const response = await fetch(url, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: text }),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    })
    await response.body?.cancel()
    return { status: response.status, revision: response.headers.get('x-needle-revision') }
  } catch (error) {
    signal.throwIfAborted()
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
    throw new PipelineError(
      'PROBE_REFUSED',
      `${url.origin} does not answer: ${cause instanceof Error ? cause.message : String(cause)}. Does it run? npx needle dev`,
      { cause: error },
    )
  }
}
