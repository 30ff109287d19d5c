import { RuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { pause } from '../pause.ts'
import { type Envelope, isSignedBy } from './envelope.ts'
import type { Role, TrustedKey, TrustRoot } from './trust-root.ts'

/** What came of the signatures of one document. */
export interface CheckedSignatures {
  readonly envelope: Envelope
  readonly root: TrustRoot
  /** Ids of the keys whose signatures hold. */
  readonly valid: ReadonlySet<string>
  /** Why others do not count, with the last key each befell. */
  readonly rejected: ReadonlyMap<RuntimeErrorCode, string>
}

/**
 * Verifies every signature by a key with one of these roles by itself; it counts once per key id
 * (TUF specification, 5.3.4 and 6.1: several signatures by one key must not fill a threshold).
 */
export async function checkSignatures(
  envelope: Envelope,
  root: TrustRoot,
  permitted: readonly Role[],
): Promise<CheckedSignatures> {
  const valid = new Set<string>()
  const rejected = new Map<RuntimeErrorCode, string>()
  for (const signature of envelope.signatures) {
    const { keyId } = signature
    const key = keyOf(root, keyId)
    if (key === undefined) rejected.set('SIGNER_UNKNOWN', keyId)
    else if (!hasRole(root, keyId, permitted)) rejected.set('SIGNER_WRONG_ROLE', keyId)
    else {
      // A thousand releases may be verified in a row.
      await pause()
      if (await isSignedBy(envelope, signature, key)) valid.add(keyId)
      else rejected.set('SIGNATURE_INVALID', keyId)
    }
  }
  return { envelope, root, valid, rejected }
}

/**
 * Ids of the keys whose signatures fill the threshold of at least one of these roles. Further
 * signatures that do not count do no harm: they are normal while keys change.
 *
 * @throws RuntimeError `SIGNATURE_INVALID`, `DOCUMENT_UNSIGNED` (too few), `SIGNER_WRONG_ROLE` or
 *   `SIGNER_UNKNOWN`: the first of these that any signature gave cause for.
 */
export function assertRoleFilled(
  checked: CheckedSignatures,
  permitted: readonly Role[],
): readonly string[] {
  const { root } = checked
  const valid = new Set<string>()
  const rejected = new Map(checked.rejected)
  for (const keyId of checked.valid) {
    if (hasRole(root, keyId, permitted)) valid.add(keyId)
    else rejected.set('SIGNER_WRONG_ROLE', keyId)
  }
  const isFilled = permitted.some((role) => {
    const { keyIds, threshold } = root.roles[role]
    return keyIds.filter((keyId) => valid.has(keyId)).length >= threshold
  })
  if (isFilled) return [...valid]
  throw refusal({ ...checked, valid, rejected }, permitted)
}

/** Both in one, for documents that any of these roles may sign. */
export async function assertSignedByAny(
  envelope: Envelope,
  root: TrustRoot,
  permitted: readonly Role[],
): Promise<readonly string[]> {
  return assertRoleFilled(await checkSignatures(envelope, root, permitted), permitted)
}

function hasRole(root: TrustRoot, keyId: string, roles: readonly Role[]): boolean {
  return roles.some((role) => root.roles[role].keyIds.includes(keyId))
}

/** An own member only: a key id such as `constructor` must not find Object's. */
function keyOf(root: TrustRoot, keyId: string): TrustedKey | undefined {
  return Object.hasOwn(root.keys, keyId) ? root.keys[keyId] : undefined
}

function refusal(checked: CheckedSignatures, permitted: readonly Role[]): RuntimeError {
  const { envelope, root, valid, rejected } = checked
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
