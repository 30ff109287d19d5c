import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { type Envelope, isSignedBy } from './envelope.ts'
import type { Role, TrustedKey, TrustRoot } from './trust-root.ts'

/**
 * Ids of the keys whose signatures hold, when they fill the threshold of at least one permitted
 * role. Every signature is verified by itself and counts once per key id (TUF specification,
 * 5.3.4 and 6.1: several signatures by one key must not fill a threshold). Further signatures that do not count
 * do no harm: they are normal while keys change.
 *
 * @throws RuntimeError `SIGNATURE_INVALID`, `DOCUMENT_UNSIGNED` (too few), `SIGNER_WRONG_ROLE` or
 *   `SIGNER_UNKNOWN`: the first of these that any signature gave cause for.
 */
export async function assertSignedByAny(
  envelope: Envelope,
  root: TrustRoot,
  permitted: readonly Role[],
): Promise<readonly string[]> {
  const valid = new Set<string>()
  const rejected = new Map<RuntimeErrorCode, string>()
  for (const signature of envelope.signatures) {
    const { keyId } = signature
    const key = keyOf(root, keyId)
    if (key === undefined) rejected.set('SIGNER_UNKNOWN', keyId)
    else if (!permitted.some((role) => root.roles[role].keyIds.includes(keyId)))
      rejected.set('SIGNER_WRONG_ROLE', keyId)
    else if (await isSignedBy(envelope, signature, key)) valid.add(keyId)
    else rejected.set('SIGNATURE_INVALID', keyId)
  }
  const filled = permitted.some((role) => {
    const { keyIds, threshold } = root.roles[role]
    return keyIds.filter((keyId) => valid.has(keyId)).length >= threshold
  })
  if (filled) return [...valid]
  throw refusal({ envelope, root, permitted, valid, rejected })
}

/** An own member only: a key id such as `constructor` must not find Object's. */
function keyOf(root: TrustRoot, keyId: string): TrustedKey | undefined {
  return Object.hasOwn(root.keys, keyId) ? root.keys[keyId] : undefined
}

function refusal(verdict: {
  readonly envelope: Envelope
  readonly root: TrustRoot
  readonly permitted: readonly Role[]
  readonly valid: ReadonlySet<string>
  readonly rejected: ReadonlyMap<RuntimeErrorCode, string>
}): RuntimeError {
  const { envelope, root, permitted, valid, rejected } = verdict
  const { source } = envelope
  const wanted = permitted
    .map((role) => `${root.roles[role].threshold} of role ${role}`)
    .join(' or ')
  const details = { source, rootVersion: root.version, permitted, validKeyIds: [...valid] }
  const invalid = rejected.get('SIGNATURE_INVALID')
  if (invalid !== undefined) {
    return new RuntimeError(
      'SIGNATURE_INVALID',
      `${source}: the signature of key ${invalid} does not fit its bytes; it was altered or forged`,
      { details },
    )
  }
  if (valid.size > 0) {
    return new RuntimeError(
      'DOCUMENT_UNSIGNED',
      `${source} has ${valid.size} of the signatures it needs: ${wanted}`,
      { details },
    )
  }
  const wrongRole = rejected.get('SIGNER_WRONG_ROLE')
  if (wrongRole !== undefined) {
    return new RuntimeError(
      'SIGNER_WRONG_ROLE',
      `${source} is signed by key ${wrongRole}, which trust root ${root.version} gives none of the roles ${permitted.join(', ')}`,
      { details },
    )
  }
  return new RuntimeError(
    'SIGNER_UNKNOWN',
    `${source} is signed by key ${rejected.get('SIGNER_UNKNOWN')}, which trust root ${root.version} does not know`,
    { details },
  )
}
