import { hash } from 'node:crypto'
import * as z from 'zod/mini'

/** `sha256:` and 64 lower-case hex digits, of exact bytes. Every immutable object is named by one. */
export type Digest = `sha256:${string}`

export const digestSchema: z.ZodMiniType<Digest> = z.templateLiteral([
  'sha256:',
  z.string().check(z.regex(/^[0-9a-f]{64}$/)),
])

/** The digest of exactly these bytes (a string counts as its UTF-8 bytes). */
export function digestOf(bytes: Uint8Array | string): Digest {
  return `sha256:${hash('sha256', bytes, 'hex')}`
}

/** The 64 hex digits of a digest, as object keys use them. */
export function digestHex(digest: Digest): string {
  return digest.slice('sha256:'.length)
}

/** The first 12 hex digits: for people, headers and logs, never for lookups. */
export function shortDigest(digest: Digest): string {
  return digestHex(digest).slice(0, 12)
}
