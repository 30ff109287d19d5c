import { createHash } from 'node:crypto'
import type { SignatureAlgorithm } from './trust-root.ts'

/** A JSON Web Key (RFC 7517) of one of the algorithms a trust root may name. */
export type Jwk = Readonly<Record<string, string>>

/** The RFC 7638 thumbprint: SHA-256 over the required members in order, base64url. */
export function keyIdOf(jwk: Jwk): string {
  const members = jwk['kty'] === 'EC' ? ['crv', 'kty', 'x', 'y'] : ['crv', 'kty', 'x']
  const required = Object.fromEntries(members.map((name) => [name, jwk[name]]))
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url')
}

/** Which algorithm a key is for; null when none that a trust root may name. */
export function algorithmOf(jwk: Jwk): SignatureAlgorithm | null {
  if (jwk['kty'] === 'OKP' && jwk['crv'] === 'Ed25519') return 'Ed25519'
  if (jwk['kty'] === 'EC' && jwk['crv'] === 'P-256') return 'ES256'
  return null
}
