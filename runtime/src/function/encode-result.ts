import type { Outcome } from './call.ts'
import type { LoadedFunction } from './loaded-function.ts'
import type { OutcomeHeaders } from './outcome.ts'
import { mayHaveBody } from './outcome-parts.ts'

/** A result on its way to the client. */
export interface Result {
  readonly value: unknown
  /** That of the value, if it is written already. */
  readonly json: string | null
  readonly status: number
  /** Of a `reply`; null for a plain value. */
  readonly headers: OutcomeHeaders | null
}

/** Why a value has no JSON. */
export class NotJson {
  readonly problem: unknown

  constructor(problem: unknown) {
    this.problem = problem
  }
}

/**
 * A value as JSON; 204 for a plain `undefined`. A string replied with a content type of its own
 * that is not JSON is sent as it is.
 */
export function encodeResult(shared: LoadedFunction, result: Result): Outcome | NotJson {
  const { value, status, headers } = result
  const { jsonHeaders, bareHeaders } = shared
  const functionFault = status >= 500
  if (value === undefined || !mayHaveBody(status)) {
    const bare = headers === null && value === undefined ? 204 : status
    return {
      status: bare,
      headers: headers ?? bareHeaders,
      body: null,
      errorCode: null,
      functionFault,
    }
  }
  const body = toText(result)
  if (typeof body !== 'string') return body
  return {
    status,
    headers: headers === null ? jsonHeaders : { ...jsonHeaders, ...headers },
    body,
    errorCode: null,
    functionFault,
  }
}

function toText({ value, json, headers }: Result): string | NotJson {
  if (json !== null) return json
  const ownType = headers?.['content-type']
  if (ownType !== undefined && typeof value === 'string' && !/[/+]json\b/i.test(String(ownType))) {
    return value
  }
  try {
    const text: string | undefined = JSON.stringify(value)
    return text ?? new NotJson(`a ${typeof value} has no JSON`)
  } catch (problem) {
    return new NotJson(problem)
  }
}
