/** Learns from the answers of an HTTP server how its clock stands to this machine's. */
export interface AnswerClock {
  /** @param response - With its `headers`, by names in lower case. */
  note(response: unknown): void
  /** How far the server's clock was ahead at its newest answer that told; null before the first. */
  offsetMs(): number | null
}

/** `Date` tells whole seconds: by so much less than it was, on average. */
const dateLagMs = 500

export function createAnswerClock(now: () => number = Date.now): AnswerClock {
  let offsetMs: number | null = null
  return {
    note: (response) => {
      const headers = headersOf(response)
      const at = Date.parse(String(headers['date']))
      // With an age, a cache on the way repeats what the server said then.
      if (!Number.isNaN(at) && headers['age'] === undefined) offsetMs = at + dateLagMs - now()
    },
    offsetMs: () => offsetMs,
  }
}

function headersOf(response: unknown): Readonly<Record<string, unknown>> {
  if (typeof response !== 'object' || response === null || !('headers' in response)) return {}
  const { headers } = response
  return typeof headers === 'object' && headers !== null ? { ...headers } : {}
}
