import type { Outcome } from './call.ts'
import type { LoadedFunction } from './loaded-function.ts'
import type { OutcomeHeaders } from './outcome.ts'
import { mayHaveBody } from './outcome-parts.ts'

/** A result on its way to the client. */
export interface Result {
  readonly value: unknown
  readonly status: number
  /** Of a `reply`; null for a plain value. */
  readonly headers: OutcomeHeaders | null
  /** Whether the output schema has accepted `value`, so that the contract's serialiser fits it. */
  readonly checked: boolean
}

/**
 * A value as JSON; 204 for a plain `undefined`. A string replied with a content type of its own
 * that is not JSON is sent as it is. `problem` is why the value has no JSON.
 */
export function encodeResult(
  shared: LoadedFunction,
  result: Result,
): { readonly outcome: Outcome } | { readonly problem: unknown } {
  const { value, status, headers } = result
  const { jsonHeaders, bareHeaders } = shared
  const functionFault = status >= 500
  if (value === undefined || !mayHaveBody(status)) {
    const bare = headers === null && value === undefined ? 204 : status
    return {
      outcome: {
        status: bare,
        headers: headers ?? bareHeaders,
        body: null,
        errorCode: null,
        functionFault,
      },
    }
  }
  const body = toText(shared, result)
  if (typeof body !== 'string') return body
  return {
    outcome: {
      status,
      headers: headers === null ? jsonHeaders : { ...jsonHeaders, ...headers },
      body,
      errorCode: null,
      functionFault,
    },
  }
}

function toText(
  { serializer }: LoadedFunction,
  { value, headers, checked }: Result,
): string | { readonly problem: unknown } {
  const ownType = headers?.['content-type']
  if (ownType !== undefined && typeof value === 'string' && !/[/+]json\b/i.test(String(ownType))) {
    return value
  }
  try {
    const text = checked ? serializer.serialize(value) : JSON.stringify(value)
    return text ?? { problem: `a ${typeof value} has no JSON` }
  } catch (problem) {
    return { problem }
  }
}
