import assert from 'node:assert'
import assertStrict from 'node:assert/strict'
import buffer from 'node:buffer'
import crypto from 'node:crypto'
import events from 'node:events'
import path from 'node:path'
import querystring from 'node:querystring'
import stream from 'node:stream'
import streamPromises from 'node:stream/promises'
import streamWeb from 'node:stream/web'
import stringDecoder from 'node:string_decoder'
import url from 'node:url'
import util from 'node:util'
import utilTypes from 'node:util/types'
import zlib from 'node:zlib'

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
  'node:assert': { reason: 'checks of invariants', module: assert },
  'node:assert/strict': { reason: 'checks of invariants', module: assertStrict },
  'node:buffer': { reason: 'bytes, base64 and hex', module: buffer },
  'node:crypto': { reason: 'hashes, signatures, random values', module: crypto },
  'node:events': { reason: 'emitters libraries build on', module: events },
  'node:path': { reason: 'string arithmetic on paths', module: path },
  'node:querystring': { reason: 'parsing of form bodies', module: querystring },
  'node:stream': { reason: 'streams in memory', module: stream },
  'node:stream/promises': { reason: 'streams in memory', module: streamPromises },
  'node:stream/web': { reason: 'web streams, as the globals', module: streamWeb },
  'node:string_decoder': { reason: 'text from split bytes', module: stringDecoder },
  'node:url': { reason: 'parsing of URLs', module: url },
  'node:util': { reason: 'formatting and inspection', module: util },
  'node:util/types': { reason: 'type checks that hold across realms', module: utilTypes },
  'node:zlib': { reason: 'compression in memory', module: zlib },
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
