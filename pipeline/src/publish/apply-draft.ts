import { randomUUID } from 'node:crypto'
import { isRuntimeError } from '@needle-faas/runtime/store'
import {
  canonicalJson,
  type Digest,
  digestOf,
  knownFeatures,
  type Manifest,
  type ObjectRef,
  objectKey,
  signDocument,
  sizeLimit,
} from '@needle-faas/runtime/manifest'
import type { EnvironmentState, NewestManifest } from '../environment-state/environment-state.ts'
import type { PointerStatus } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'
import { nextVersion } from '../plan/next-version.ts'
import type { ManifestDraft } from '../plan/plan.ts'
import type { Publisher } from './publisher.ts'
import { repairPointer } from './repair-pointer.ts'
import { type Upload, uploadObjects } from './upload.ts'

export interface DraftToApply {
  /** What the draft was planned from. */
  readonly state: EnvironmentState
  readonly pointer: PointerStatus
  readonly draft: ManifestDraft
  readonly lifetimeMs: number
}

/**
 * Writes the next manifest: groups and quarantine, then the history entry – which is the commit –
 * then `manifest.json`. Null when another publisher created that history entry.
 */
export async function applyDraft(
  publisher: Publisher,
  { state, pointer, draft, lifetimeMs }: DraftToApply,
): Promise<Manifest | null> {
  const { access, signer, clock } = publisher
  const uploads: Upload[] = []
  const name = (document: unknown, keyOf: (digest: Digest) => string): ObjectRef => {
    const bytes = new TextEncoder().encode(canonicalJson(document))
    const ref = { digest: digestOf(bytes), sizeBytes: bytes.byteLength }
    uploads.push({ key: keyOf(ref.digest), read: async () => bytes })
    return ref
  }
  const groups = nameGroups(state, draft, name, access.environment)
  const quarantine =
    draft.quarantine.length === 0
      ? null
      : (unchangedQuarantine(state, draft) ??
        name({ specVersion: 1, entries: draft.quarantine }, (digest) =>
          objectKey.quarantine(access.environment, digest),
        ))
  if (quarantine !== null && quarantine.sizeBytes > sizeLimit.quarantineBytes) {
    throw new PipelineError(
      'USAGE_INVALID',
      `The quarantine of ${access.environment} is full (${sizeLimit.quarantineBytes} bytes). Clear entries that no longer matter: needle status lists them`,
    )
  }
  await uploadObjects(publisher, uploads)

  const previous = state.newest
  const now = clock.now()
  const manifest: Manifest = {
    kind: 'manifest',
    specVersion: 1,
    environment: access.environment,
    epoch: access.root.epoch,
    version: nextVersion(state),
    rootVersion: access.root.version,
    publishId: randomUUID(),
    issuedAt: new Date(now).toISOString(),
    expiresAt: new Date(now + lifetimeMs).toISOString(),
    commit: draft.commit,
    actor: draft.actor,
    reason: draft.reason,
    previous: previous?.digest ?? null,
    quarantine,
    // What a later version of needle wrote is still in there, and still wants to be understood.
    requires: previous?.manifest.requires.filter((each) => !knownFeatures.includes(each)) ?? [],
    groups,
    ...(draft.decisions && draft.decisions.length > 0 && { decisions: draft.decisions }),
  }
  const bytes = await signDocument({ kind: 'manifest', payload: manifest }, [signer])
  const newest = { manifest, bytes, digest: digestOf(bytes) }
  if (!(await createHistoryEntry(publisher, newest))) return null
  await repairPointer(publisher, { newest, pointer: { ...pointer, status: 'behind' } })
  return manifest
}

function nameGroups(
  state: EnvironmentState,
  draft: ManifestDraft,
  name: (document: unknown, keyOf: (digest: Digest) => string) => ObjectRef,
  environment: string,
): Record<string, ObjectRef> {
  const groups: Record<string, ObjectRef> = {}
  for (const [group, planned] of Object.entries(draft.groups)) {
    const current = state.groups[group]
    // With what a later version of needle wrote beside the functions.
    const document = { ...current, ...planned }
    const currentRef = state.newest?.manifest.groups[group]
    const isSame = current !== undefined && canonicalJson(current) === canonicalJson(document)
    groups[group] =
      isSame && currentRef
        ? currentRef
        : name(document, (digest) => objectKey.group(environment, digest))
    if (groups[group].sizeBytes > sizeLimit.groupBytes) {
      throw new PipelineError(
        'USAGE_INVALID',
        `Group ${group} has more functions than one group document holds (${sizeLimit.groupBytes} bytes). Split it into two groups`,
      )
    }
  }
  return groups
}

function unchangedQuarantine(state: EnvironmentState, draft: ManifestDraft): ObjectRef | null {
  const isSame = canonicalJson(state.quarantine) === canonicalJson(draft.quarantine)
  return isSame ? (state.newest?.manifest.quarantine ?? null) : null
}

/** Creating the entry is the commit; false when another publisher's bytes are there. */
async function createHistoryEntry(
  { access, singleWriter }: Publisher,
  entry: NewestManifest,
): Promise<boolean> {
  const { store, signal, environment } = access
  const key = objectKey.history(environment, entry.manifest.version)
  try {
    const result = await store.put(key, entry.bytes, { condition: 'absent', signal })
    if (result.status === 'written') return true
  } catch (error) {
    if (!singleWriter || !isRuntimeError(error, 'STORE_NOT_CONDITIONAL')) throw error
    await store.put(key, entry.bytes, { signal })
    return true
  }
  // Refused, but perhaps by an earlier attempt of this very write whose answer was lost.
  const stored = await store.get(key, { maxBytes: sizeLimit.manifestBytes, signal })
  return stored.status === 'found' && digestOf(stored.bytes) === entry.digest
}
