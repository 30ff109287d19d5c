import type { HttpError } from './authoring/http-error.ts'
import type { CallErrorCode, Outcome } from './call.ts'
import type { LoadedFunction } from './loaded-function.ts'
import { type RuntimeAnswer, toOutcome } from './outcome.ts'
import { assertStatus, mergeHeaders } from './outcome-parts.ts'

// What a call is answered when it does not come to a result of its function.

export const runaway: RuntimeAnswer = {
  status: 504,
  code: 'FUNCTION_RUNAWAY',
  message: 'The function held up the whole process and was stopped',
  functionFault: true,
}

/** Nobody's fault but the machine's. */
export const starved: RuntimeAnswer = {
  status: 504,
  code: 'FUNCTION_TIMEOUT',
  message: 'The process had no time to run the function; try again',
}

export const replaced: RuntimeAnswer = {
  status: 503,
  code: 'FUNCTION_STOPPED',
  message: 'The function was replaced while it was running; try again',
}

export const clientClosed: RuntimeAnswer = {
  status: 499,
  code: 'CLIENT_CLOSED' satisfies CallErrorCode,
  message: 'The client went away before the function answered',
}

export function timedOut(timeoutMs: number): RuntimeAnswer {
  return {
    status: 504,
    code: 'FUNCTION_TIMEOUT',
    message: `The function did not answer within ${timeoutMs} ms`,
    functionFault: true,
  }
}

export function inputInvalid(details: unknown): RuntimeAnswer {
  return {
    status: 400,
    code: 'INPUT_INVALID',
    message: 'The input does not match what the function accepts',
    extra: { details },
  }
}

/** To a call past what a function may have at once, or still queued at its deadline. */
export function busyOutcome({ jsonHeaders }: LoadedFunction): Outcome {
  return toOutcome(
    {
      status: 503,
      code: 'FUNCTION_BUSY',
      message: 'The function has as many calls in flight as it may; try again',
    },
    { ...jsonHeaders, 'retry-after': '1' },
  )
}

/** @throws RangeError or TypeError when HTTP does not allow what it says */
export function httpErrorOutcome({ jsonHeaders }: LoadedFunction, thrown: HttpError): Outcome {
  const { code, message, details } = thrown
  const status = assertStatus(thrown.status)
  // Whatever bears the brand may have been made without the class, and its types.
  if (typeof code !== 'string') throw new TypeError('The code of an HttpError must be text')
  const error = details === undefined ? { code, message } : { code, message, details }
  return {
    status,
    headers: mergeHeaders(jsonHeaders, thrown.headers),
    body: JSON.stringify({ error }),
    errorCode: code,
    functionFault: status >= 500,
  }
}
