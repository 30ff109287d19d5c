import type { Outcome } from './function/call.ts'
import { toOutcome } from './function/outcome.ts'

// What a request is answered when no revision of a function is asked.

const jsonHeaders = Object.freeze({ 'content-type': 'application/json; charset=utf-8' })

export const routeNotFound = toOutcome(
  { status: 404, code: 'ROUTE_NOT_FOUND', message: 'No function is served at this address' },
  jsonHeaders,
)

export const notReady = toOutcome(
  {
    status: 503,
    code: 'NOT_READY',
    message: 'This instance has not yet received what it should serve; try again',
  },
  { ...jsonHeaders, 'retry-after': '5' },
)

export const closed = toOutcome(
  { status: 503, code: 'NOT_READY', message: 'This instance is closing; try again' },
  { ...jsonHeaders, 'retry-after': '5' },
)

export function quarantined(name: string): Outcome {
  return toOutcome(
    {
      status: 503,
      code: 'FUNCTION_QUARANTINED',
      message: `No release of ${name} may serve here: each was refused or is quarantined; it serves again with another`,
    },
    jsonHeaders,
  )
}

export function loading(name: string): Outcome {
  return toOutcome(
    { status: 503, code: 'FUNCTION_LOADING', message: `${name} is being loaded; try again` },
    { ...jsonHeaders, 'retry-after': '1' },
  )
}

export function overloaded(name: string): Outcome {
  return toOutcome(
    {
      status: 503,
      code: 'FUNCTION_SHED',
      message: `This instance cannot keep up, and ${name} takes most of its time; try again`,
    },
    { ...jsonHeaders, 'retry-after': '1' },
  )
}

export function stopped(name: string, revisionId: string | null): Outcome {
  return toOutcome(
    {
      status: 503,
      code: 'FUNCTION_STOPPED',
      message: `${name} is stopped; it serves again when its operators resume it`,
    },
    revisionId === null ? jsonHeaders : { ...jsonHeaders, 'x-needle-revision': revisionId },
  )
}

export function methodNotAllowed(allow: readonly string[]): Outcome {
  return toOutcome(
    { status: 405, code: 'METHOD_NOT_ALLOWED', message: `Use ${allow.join(' or ')} here` },
    { ...jsonHeaders, allow: allow.join(', ') },
  )
}

export function bodyTooLarge(maxBytes: number): Outcome {
  return toOutcome(
    {
      status: 413,
      code: 'BODY_TOO_LARGE',
      message: `The request body is larger than ${maxBytes} bytes`,
    },
    jsonHeaders,
  )
}
