import { RuntimeError } from '../errors.ts'
import { algorithmOf, keyIdOf } from './key-id.ts'
import { roles, type TrustRoot } from './trust-root.ts'

/**
 * What the shape of a trust root cannot say.
 *
 * - A key id is the thumbprint of its key: otherwise one key under two ids would count twice
 *   towards a threshold (TUF specification, 4.2: keys are identified by their content).
 * - The algorithm fits the key, so that a verifier never takes it from elsewhere (RFC 8725, 3.1).
 * - No private half: a root is published.
 * - Roles name keys that are there.
 *
 * @throws RuntimeError `DOCUMENT_MALFORMED`
 */
export function assertSoundTrustRoot(root: TrustRoot, source: string): void {
  for (const [keyId, { algorithm, jwk }] of Object.entries(root.keys)) {
    if (jwk['d'] !== undefined) {
      throw malformed(source, `keys.${keyId} holds a private key; take it out of use at once`)
    }
    if (keyIdOf(jwk) !== keyId) {
      throw malformed(source, `keys.${keyId} is not the thumbprint of its key`)
    }
    if (algorithmOf(jwk) !== algorithm) {
      throw malformed(source, `keys.${keyId} is not an ${algorithm} key`)
    }
  }
  for (const role of roles) {
    const missing = root.roles[role].keyIds.find((keyId) => !Object.hasOwn(root.keys, keyId))
    if (missing !== undefined) {
      throw malformed(source, `roles.${role} names ${missing}, which is not among keys`)
    }
  }
}

function malformed(source: string, fault: string): RuntimeError {
  return new RuntimeError('DOCUMENT_MALFORMED', `${source} is no valid trust root: ${fault}`, {
    details: { source },
  })
}
