/**
 * The Node.js built-ins a function may import: computation only. Nothing here reaches files, the
 * network, processes, threads or the host's environment; that is what services are for. By name, why.
 */
export const allowedBuiltins = {
  'node:assert': 'checks of invariants',
  'node:assert/strict': 'checks of invariants',
  'node:buffer': 'bytes, base64 and hex',
  'node:crypto': 'hashes, signatures, random values',
  'node:events': 'emitters libraries build on',
  'node:path': 'string arithmetic on paths',
  'node:querystring': 'parsing of form bodies',
  'node:stream': 'streams in memory',
  'node:stream/promises': 'streams in memory',
  'node:stream/web': 'web streams, as the globals',
  'node:string_decoder': 'text from split bytes',
  'node:url': 'parsing of URLs',
  'node:util': 'formatting and inspection',
  'node:util/types': 'type checks that hold across realms',
  'node:zlib': 'compression in memory',
} as const satisfies Record<`node:${string}`, string>

export type AllowedBuiltin = keyof typeof allowedBuiltins

/** The allowed built-in an import names, with or without `node:`; null when it is not allowed. */
export function toAllowedBuiltin(specifier: string): AllowedBuiltin | null {
  const prefixed = specifier.startsWith('node:') ? specifier : `node:${specifier}`
  return isAllowedBuiltin(prefixed) ? prefixed : null
}

function isAllowedBuiltin(specifier: string): specifier is AllowedBuiltin {
  return Object.hasOwn(allowedBuiltins, specifier)
}
