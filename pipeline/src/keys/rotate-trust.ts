import {
  createSigner,
  generateSigningKey,
  objectKey,
  type Role,
  type RoleKeys,
  roles,
  signDocument,
  type Signer,
  type TrustRoot,
  verifyTrustRoot,
} from '@needle-faas/runtime/manifest'
import type { ArtifactStore } from '@needle-faas/runtime/store'
import { PipelineError } from '../errors.ts'
import { assertNoFiles, keyFilePath, writeKeyFile } from './key-file.ts'
import { assertKeysUnused } from './keys-in-use.ts'

export interface RotateTrustOptions {
  readonly store: ArtifactStore
  /** The newest root there is. */
  readonly root: TrustRoot
  /** Of the root role, as many as its threshold wants. */
  readonly signers: readonly Signer[]
  /** Roles that get one more key each. */
  readonly add: readonly Role[]
  /** Key ids, or beginnings that mean one key, that lose every role. */
  readonly remove: readonly string[]
  /** Makes every manifest signed so far void, whatever its version number. */
  readonly raiseEpoch: boolean
  /** Take keys away although documents in use are signed by them alone. */
  readonly force: boolean
  /** Gets the new private keys, as `<role>.jwk.json`. */
  readonly directory: string
  /** Epoch milliseconds. */
  readonly now: number
  readonly signal?: AbortSignal | undefined
}

export interface RotateTrustResult {
  readonly root: TrustRoot
  /** Path of each new private key. */
  readonly keyFiles: readonly string[]
  readonly removedKeyIds: readonly string[]
}

/**
 * Writes the next trust root, signed by the root role of the one before and its own. BFFs follow
 * it by themselves; pinned files need not change.
 *
 * @throws PipelineError `KEY_FILE_EXISTS`, `KEY_MISSING`, `KEY_IN_USE`, `PUBLISH_LOST`;
 *   RuntimeError `SIGNER_*` or `DOCUMENT_UNSIGNED` when the signers do not suffice.
 */
export async function rotateTrust(options: RotateTrustOptions): Promise<RotateTrustResult> {
  const { store, root, now } = options
  const removedKeyIds = options.remove.map((typed) => findKeyId(root, typed))
  const files = options.add.map((role) => keyFilePath(options.directory, role))
  assertNoFiles(files)
  const added = await Promise.all(
    options.add.map(async (role) => ({ role, key: await generateSigningKey() })),
  )

  const roleKeys = (role: Role): RoleKeys => ({
    keyIds: [
      ...root.roles[role].keyIds.filter((keyId) => !removedKeyIds.includes(keyId)),
      ...added.filter((entry) => entry.role === role).map(({ key }) => key.keyId),
    ],
    threshold: root.roles[role].threshold,
  })
  const nextRoles = {
    root: roleKeys('root'),
    release: roleKeys('release'),
    preview: roleKeys('preview'),
    operator: roleKeys('operator'),
  }
  const used = new Set(roles.flatMap((role) => nextRoles[role].keyIds))
  const known = {
    ...root.keys,
    ...Object.fromEntries(
      added.map(({ key }) => [key.keyId, { algorithm: key.algorithm, jwk: key.publicJwk }]),
    ),
  }
  const next: TrustRoot = {
    ...root,
    version: root.version + 1,
    epoch: root.epoch + (options.raiseEpoch ? 1 : 0),
    issuedAt: new Date(now).toISOString(),
    keys: Object.fromEntries(Object.entries(known).filter(([keyId]) => used.has(keyId))),
    roles: nextRoles,
  }
  const newRootSigners = await Promise.all(
    added.filter(({ role }) => role === 'root').map(({ key }) => createSigner(key.privateJwk)),
  )
  const bytes = await signDocument({ kind: 'trust-root', payload: next }, [
    ...options.signers,
    ...newRootSigners,
  ])
  await verifyTrustRoot(bytes, root, objectKey.trustRoot(next.version))
  if (removedKeyIds.length > 0 && !options.force) {
    await assertKeysUnused({ store, next, signal: options.signal })
  }

  for (const [index, { key }] of added.entries()) await writeKeyFile(files[index] ?? '', key)
  const key = objectKey.trustRoot(next.version)
  const stored = await store.put(key, bytes, { condition: 'absent', signal: options.signal })
  if (stored.status === 'conflict') {
    throw new PipelineError(
      'PUBLISH_LOST',
      `Someone else wrote ${key} at the same moment. Look at it with needle keys list and rotate again`,
    )
  }
  return { root: next, keyFiles: files, removedKeyIds }
}

function findKeyId(root: TrustRoot, typed: string): string {
  const matches = Object.keys(root.keys).filter((keyId) => keyId.startsWith(typed))
  const [match] = matches
  if (match !== undefined && matches.length === 1) return match
  throw new PipelineError(
    'KEY_MISSING',
    `${typed} means ${matches.length === 0 ? 'no key' : 'more than one key'} of trust root ${root.version}. needle keys list shows them`,
  )
}
