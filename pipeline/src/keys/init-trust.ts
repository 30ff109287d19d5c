import { mkdir, writeFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import {
  createSigner,
  generateSigningKey,
  objectKey,
  type Role,
  roles,
  signDocument,
  sizeLimit,
  type TrustRoot,
} from '@needle-faas/runtime/manifest'
import type { ArtifactStore } from '@needle-faas/runtime/store'
import { PipelineError } from '../errors.ts'
import { assertNoFiles, keyFilePath, writeKeyFile } from './key-file.ts'

export interface InitTrustOptions {
  readonly store: ArtifactStore
  /** Gets one private key per role. */
  readonly directory: string
  /** Where the pinned root goes; BFFs and pipelines carry a copy of it. */
  readonly trustFile: string
  /** Epoch milliseconds. */
  readonly now: number
}

export interface InitTrustResult {
  readonly root: TrustRoot
  /** Path of each private key. */
  readonly keyFiles: Readonly<Record<Role, string>>
}

/**
 * Makes one key per role and the first trust root. What exists is never overwritten; the store
 * comes last, so that an interrupted run can be repeated once its files are moved away.
 *
 * @throws PipelineError `KEY_FILE_EXISTS`, `TRUST_EXISTS`
 */
export async function initTrust(options: InitTrustOptions): Promise<InitTrustResult> {
  const { store, directory, trustFile, now } = options
  const keyFiles = forEachRole((role) => keyFilePath(directory, role))
  assertNoFiles([...Object.values(keyFiles), trustFile])
  await assertNoTrust(store)

  const made = await Promise.all(
    roles.map(async (role) => ({ role, key: await generateSigningKey() })),
  )
  const keyOf = (role: Role): (typeof made)[number]['key'] => {
    const found = made.find((entry) => entry.role === role)
    if (found === undefined) throw new RangeError(role)
    return found.key
  }
  const root: TrustRoot = {
    kind: 'trust-root',
    specVersion: 1,
    version: 1,
    epoch: 1,
    issuedAt: new Date(now).toISOString(),
    keys: Object.fromEntries(
      made.map(({ key }) => [key.keyId, { algorithm: key.algorithm, jwk: key.publicJwk }]),
    ),
    roles: forEachRole((role) => ({ keyIds: [keyOf(role).keyId], threshold: 1 })),
  }
  const signer = await createSigner(keyOf('root').privateJwk)
  const bytes = await signDocument({ kind: 'trust-root', payload: root }, [signer])

  for (const { role, key } of made) await writeKeyFile(keyFiles[role], key)
  await mkdir(dirname(trustFile), { recursive: true })
  await writeFile(trustFile, bytes, { flag: 'wx' })
  const stored = await store.put(objectKey.trustRoot(1), bytes, { condition: 'absent' })
  if (stored.status === 'conflict') throw trustExists(store)
  return { root, keyFiles }
}

function forEachRole<Value>(of: (role: Role) => Value): Record<Role, Value> {
  return {
    root: of('root'),
    release: of('release'),
    preview: of('preview'),
    operator: of('operator'),
  }
}

async function assertNoTrust(store: ArtifactStore): Promise<void> {
  const maxBytes = sizeLimit.trustRootBytes
  const found = await store.get(objectKey.trustRoot(1), { maxBytes })
  if (found.status === 'found') throw trustExists(store)
}

function trustExists(store: ArtifactStore): PipelineError {
  return new PipelineError(
    'TRUST_EXISTS',
    `${store.location} has a trust root already. Use its keys, change them with needle keys rotate, or begin with an empty store`,
  )
}
