import type { CryptoKey } from 'jose'
// By parts, as in envelope.ts.
import { exportJWK } from 'jose/key/export'
import { generateKeyPair } from 'jose/key/generate/keypair'
import { importJWK } from 'jose/key/import'
import { RuntimeError } from '../errors.ts'
import { algorithmOf, type Jwk, keyIdOf } from './key-id.ts'
import type { SignatureAlgorithm } from './trust-root.ts'

/** A new key, both halves. */
export interface SigningKey {
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  /** Goes into the trust root. */
  readonly publicJwk: Jwk
  /** A secret. */
  readonly privateJwk: Jwk
}

/** Something that can sign, under the id trust roots know it by. */
export interface Signer {
  readonly keyId: string
  readonly algorithm: SignatureAlgorithm
  readonly privateKey: CryptoKey
}

/** Makes a new random key. Ed25519 unless the place where it will live only does ES256. */
export async function generateSigningKey(
  algorithm: SignatureAlgorithm = 'Ed25519',
): Promise<SigningKey> {
  const pair = await generateKeyPair(algorithm, { extractable: true })
  const publicJwk = toJwk(await exportJWK(pair.publicKey))
  const privateJwk = toJwk(await exportJWK(pair.privateKey))
  return { keyId: keyIdOf(publicJwk), algorithm, publicJwk, privateJwk }
}

/**
 * A signer from a private key as `generateSigningKey` made it.
 *
 * @throws RuntimeError `OPTIONS_INVALID` when it is no private Ed25519 or P-256 key. The message
 *   never holds any of the key.
 */
export async function createSigner(privateJwk: Jwk): Promise<Signer> {
  const algorithm = algorithmOf(privateJwk)
  if (algorithm === null || privateJwk['d'] === undefined) {
    throw new RuntimeError(
      'OPTIONS_INVALID',
      'This is not a private signing key: expected a JSON Web Key with kty "OKP" and crv "Ed25519", or kty "EC" and crv "P-256", and its "d"',
    )
  }
  const keyId = keyIdOf(privateJwk)
  try {
    const privateKey = await importJWK({ ...privateJwk }, algorithm)
    if (privateKey instanceof Uint8Array) throw new TypeError('a symmetric key')
    return { keyId, algorithm, privateKey }
  } catch (cause) {
    throw new RuntimeError(
      'OPTIONS_INVALID',
      `The private key ${keyId} cannot be read: its members do not make a ${algorithm} key`,
      { cause, details: { keyId } },
    )
  }
}

function toJwk(exported: object): Jwk {
  const jwk: Record<string, string> = {}
  for (const [name, value] of Object.entries(exported)) {
    if (typeof value === 'string') jwk[name] = value
  }
  return jwk
}
