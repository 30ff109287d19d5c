import * as assert from 'node:assert'
import * as assertStrict from 'node:assert/strict'
import * as buffer from 'node:buffer'
import * as crypto from 'node:crypto'
import * as events from 'node:events'
import * as path from 'node:path'
import * as querystring from 'node:querystring'
import * as stream from 'node:stream'
import * as streamPromises from 'node:stream/promises'
import * as streamWeb from 'node:stream/web'
import * as stringDecoder from 'node:string_decoder'
import * as url from 'node:url'
import * as util from 'node:util'
import * as utilTypes from 'node:util/types'
import * as zlib from 'node:zlib'

interface Builtin {
  /** Why a function may have it. */
  readonly reason: string
  /** As `require` would return it. */
  readonly module: unknown
}

/**
 * The Node.js built-ins a function may import: computation only. Nothing here reaches files, the
 * network, processes, threads or the host's environment; that is what services are for.
 */
export const allowedBuiltins = {
  'node:assert': { reason: 'checks of invariants', module: assert.default },
  'node:assert/strict': { reason: 'checks of invariants', module: assertStrict.default },
  'node:buffer': { reason: 'bytes, base64 and hex', module: buffer.default },
  'node:crypto': { reason: 'hashes, signatures, random values', module: crypto.default },
  'node:events': { reason: 'emitters libraries build on', module: events.default },
  'node:path': { reason: 'string arithmetic on paths', module: path.default },
  'node:querystring': { reason: 'parsing of form bodies', module: querystring.default },
  'node:stream': { reason: 'streams in memory', module: stream.default },
  'node:stream/promises': { reason: 'streams in memory', module: streamPromises.default },
  'node:stream/web': { reason: 'web streams, as the globals', module: streamWeb.default },
  'node:string_decoder': { reason: 'text from split bytes', module: stringDecoder.default },
  'node:url': { reason: 'parsing of URLs', module: url.default },
  'node:util': { reason: 'formatting and inspection', module: util.default },
  'node:util/types': { reason: 'type checks that hold across realms', module: utilTypes.default },
  'node:zlib': { reason: 'compression in memory', module: zlib.default },
} as const satisfies Record<`node:${string}`, Builtin>

export type AllowedBuiltin = keyof typeof allowedBuiltins

/** The allowed built-in an import names, with or without `node:`; null when it is not allowed. */
export function toAllowedBuiltin(specifier: string): AllowedBuiltin | null {
  const prefixed = specifier.startsWith('node:') ? specifier : `node:${specifier}`
  return isAllowedBuiltin(prefixed) ? prefixed : null
}

function isAllowedBuiltin(specifier: string): specifier is AllowedBuiltin {
  return Object.hasOwn(allowedBuiltins, specifier)
}
