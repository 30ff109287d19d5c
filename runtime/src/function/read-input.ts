import * as querystring from 'node:querystring'
import type { Call } from './call.ts'
import type { Realm } from './container/realm.ts'
import type { RuntimeAnswer } from './outcome.ts'

export type InputResult =
  | { readonly refused: null; readonly input: unknown }
  | { readonly refused: RuntimeAnswer }

/**
 * The one input object of a call: path parameters, then query, then body, none redefining another.
 * A repeated query key becomes an array; keys named `__proto__` are left out everywhere. A body that
 * is no object is the input itself when neither path nor query gives anything.
 *
 * Bodies: JSON (`application/json`, `…+json`, or no content type), form fields
 * (`application/x-www-form-urlencoded`, read like a query) and text (`text/*`, a string), all UTF-8.
 */
export function readInput(call: Call, realm: Realm, maxBodyBytes: number): InputResult {
  const hasBody = call.body !== null && call.body.length > 0
  // Most calls with a body have nothing to merge it with.
  if (hasBody && !givesFields(call)) return readBody(call, call.body, realm, maxBodyBytes)
  const merged = realm.createObject()
  for (const name in call.params) {
    const value = call.params[name]
    if (value !== undefined) merged[name] = value
  }
  if (call.query !== '') {
    const key = addFields(merged, call.query, realm)
    if (key !== null) return redefined(key, 'The query', 'the path')
  }
  if (!hasBody) return { refused: null, input: merged }
  const body = readBody(call, call.body, realm, maxBodyBytes)
  if (body.refused !== null) return body
  if (!isPlainObject(body.input)) return { refused: bodyMustBeObject }
  for (const key of Object.keys(body.input)) {
    if (Object.hasOwn(merged, key)) return redefined(key, 'The body', 'the path or the query')
    merged[key] = body.input[key]
  }
  return { refused: null, input: merged }
}

/** Whether path or query have anything to say. */
function givesFields({ params, query }: Call): boolean {
  if (query !== '') return true
  for (const name in params) if (params[name] !== undefined) return true
  return false
}

function readBody(
  call: Call,
  body: string | Uint8Array,
  realm: Realm,
  maxBodyBytes: number,
): InputResult {
  if (exceeds(body, maxBodyBytes)) {
    return {
      refused: {
        status: 413,
        code: 'BODY_TOO_LARGE',
        message: `The request body is larger than ${maxBodyBytes} bytes`,
      },
    }
  }
  const kind = bodyKind(call.headers['content-type'])
  if (kind === null) {
    return {
      refused: {
        status: 415,
        code: 'BODY_UNSUPPORTED_TYPE',
        message: 'Send application/json, application/x-www-form-urlencoded or text/*, in UTF-8',
      },
    }
  }
  const text = typeof body === 'string' ? body : decode(body)
  if (text === null) return notJson('it is not UTF-8')
  if (kind === 'text') return { refused: null, input: text }
  if (kind === 'json') return parseJson(text, realm)
  const fields = realm.createObject()
  addFields(fields, text, realm)
  return { refused: null, input: fields }
}

function exceeds(body: string | Uint8Array, maxBytes: number): boolean {
  if (typeof body !== 'string') return body.length > maxBytes
  // A UTF-16 unit takes one to three bytes of UTF-8: most bodies need no counting.
  if (body.length > maxBytes) return true
  return body.length * 3 > maxBytes && Buffer.byteLength(body) > maxBytes
}

/** Null when the type is none that functions take, or not UTF-8. */
function bodyKind(header: string | string[] | undefined): 'json' | 'form' | 'text' | null {
  if (header === undefined || header === 'application/json') return 'json'
  const [type = '', ...parameters] = String(header).toLowerCase().split(';')
  const charset = parameters.find((parameter) => parameter.trim().startsWith('charset='))
  if (charset !== undefined && !/^\s*charset="?(?:utf-?8|us-ascii)"?\s*$/.test(charset)) return null
  const media = type.trim()
  if (media === 'application/json' || media.endsWith('+json')) return 'json'
  if (media === 'application/x-www-form-urlencoded') return 'form'
  return media.startsWith('text/') ? 'text' : null
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function decode(bytes: Uint8Array): string | null {
  try {
    return utf8.decode(bytes)
  } catch {
    return null
  }
}

function parseJson(text: string, realm: Realm): InputResult {
  try {
    // Only a text that could name `__proto__`, escaped or not, pays for the reviver.
    const input =
      text.includes('__proto__') || text.includes('\\u00')
        ? realm.parseJson(text, (key, value) => (key === '__proto__' ? undefined : value))
        : realm.parseJson(text)
    return { refused: null, input }
  } catch (error) {
    return notJson(error instanceof Error ? error.message : messageOf(error))
  }
}

/** A `SyntaxError` of the container's realm is no `Error` of ours. */
function messageOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'message' in error
    ? String(error.message)
    : String(error)
}

// The size of URL and body is bounded already; Node.js would drop keys past 1000 without a word.
const everyKey = { maxKeys: 0 }

/** Adds `a=1&b=2` to `target`; returns the key that was there before, if one was. */
function addFields(target: Record<string, unknown>, text: string, realm: Realm): string | null {
  const fields = querystring.parse(text, '&', '=', everyKey)
  for (const key in fields) {
    if (key === '__proto__') continue
    if (Object.hasOwn(target, key)) return key
    const value = fields[key]
    target[key] = Array.isArray(value) ? realm.createArray(value) : value
  }
  return null
}

function redefined(key: string, later: string, earlier: string): InputResult {
  return {
    refused: {
      status: 400,
      code: 'INPUT_REDEFINED',
      message: `${later} may not define "${key}" again: ${earlier} already does`,
      extra: { details: [{ path: key, message: `already given by ${earlier}` }] },
    },
  }
}

function notJson(reason: string): InputResult {
  return {
    refused: {
      status: 400,
      code: 'BODY_NOT_JSON',
      message: `The request body cannot be read: ${reason}`,
    },
  }
}

const bodyMustBeObject: RuntimeAnswer = {
  status: 400,
  code: 'INPUT_INVALID',
  message:
    'The body must be an object, because the path or the query gives fields to merge it with',
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
