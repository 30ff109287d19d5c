import {
  type Manifest,
  objectKey,
  type TrustRoot,
  type Verified,
} from '@needle-faas/runtime/manifest'
import {
  type ArtifactStore,
  createVerifiedReader,
  isRuntimeError,
  RuntimeError,
} from '@needle-faas/runtime/store'
import type { EnvironmentState, NewestManifest } from './environment-state.ts'

/** Where an environment lies and by whom its documents must be signed. */
export interface EnvironmentAccess {
  readonly store: ArtifactStore
  readonly environment: string
  /** The newest trust root. */
  readonly root: TrustRoot
  readonly signal?: AbortSignal | undefined
}

/** How `manifest.json`, the copy that runtimes poll, stands to the history it is a copy of. */
export interface PointerStatus {
  /** `behind`: history has newer entries. `invalid`: nobody would accept it, or it is a fork. */
  readonly status: 'current' | 'behind' | 'missing' | 'invalid'
  /** Of the object as it was read; null when there is none. */
  readonly etag: string | null
  /** Why instances do not see the newest entry through it; null when they do. */
  readonly fault: RuntimeError | null
}

/** The newest entry of the history and how far the pointer follows it. */
export interface HistoryReading {
  /** Null before the first publish. */
  readonly newest: NewestManifest | null
  readonly pointer: PointerStatus
}

export interface EnvironmentReading {
  readonly state: EnvironmentState
  readonly pointer: PointerStatus
}

/**
 * Reads and verifies the newest state of an environment. History decides: an entry counts from the
 * moment it is created, whether or not `manifest.json` was moved on to it. Expired manifests are
 * read as well; signing again is what ends their freeze.
 *
 * @throws RuntimeError as `verifyManifest` does, `OBJECT_*`, `STORE_*`, `MANIFEST_FORKED` when a
 *   history entry does not follow the one before it.
 */
export async function readEnvironment(access: EnvironmentAccess): Promise<EnvironmentReading> {
  const { newest, pointer } = await readNewest(access)
  if (newest === null) {
    return {
      state: { environment: access.environment, newest: null, groups: {}, quarantine: [] },
      pointer,
    }
  }
  return { state: await readState(access, newest), pointer }
}

/** The state an already verified manifest of this environment describes. */
export async function readState(
  access: EnvironmentAccess,
  newest: NewestManifest,
): Promise<EnvironmentState> {
  const reader = createVerifiedReader(access)
  const { signal } = access
  const [groups, quarantine] = await Promise.all([
    Promise.all(
      Object.entries(newest.manifest.groups).map(
        async ([name, ref]) => [name, await reader.group(name, ref, { signal })] as const,
      ),
    ),
    reader.quarantine(newest.manifest.quarantine, { signal }),
  ])
  return {
    environment: access.environment,
    newest,
    groups: Object.fromEntries(groups),
    quarantine: quarantine.entries,
  }
}

/** One entry of the history, verified; null when it is not there. */
export async function readHistoryEntry(
  access: EnvironmentAccess,
  version: number,
): Promise<NewestManifest | null> {
  const { signal } = access
  const read = await createVerifiedReader(access).history(version, { signal })
  return read.status === 'found' ? toNewest(read) : null
}

/** Versions with a history entry, newest first, unverified. */
export async function listHistory(access: EnvironmentAccess): Promise<readonly number[]> {
  const prefix = objectKey.historyPrefix(access.environment)
  const versions: number[] = []
  for await (const { key } of access.store.list(prefix, { signal: access.signal })) {
    const match = /^(\d{1,15})\.json$/.exec(key.slice(prefix.length))
    if (match?.[1] !== undefined) versions.push(Number(match[1]))
  }
  return versions.toSorted((a, b) => b - a)
}

/** As `readEnvironment`, without the groups. */
export async function readNewest(access: EnvironmentAccess): Promise<HistoryReading> {
  const { pointer, pointed } = await readPointer(access)
  const start = pointed ? await entryOf(access, pointed) : await highestEntry(access)
  if (start === null) {
    if (pointer.fault !== null) throw pointer.fault
    return { newest: null, pointer }
  }
  const newest = await followHistory(access, start)
  if (pointed === null) {
    return { newest, pointer: { ...pointer, fault: pointer.fault ?? missing(access) } }
  }
  if (newest.digest === pointed.digest) return { newest, pointer }
  return { newest, pointer: { ...pointer, ...departureOf(pointed, newest, access) } }
}

function missing({ environment }: EnvironmentAccess): RuntimeError {
  return new RuntimeError('MANIFEST_MISSING', `${objectKey.manifest(environment)} is not there`)
}

/** How a genuine `manifest.json` that is not the newest history entry departs from it. */
function departureOf(
  { manifest: { version } }: NewestManifest,
  newest: NewestManifest,
  { environment }: EnvironmentAccess,
): Pick<PointerStatus, 'status' | 'fault'> {
  const key = objectKey.manifest(environment)
  if (version === newest.manifest.version) {
    const entry = objectKey.history(environment, version)
    const text = `${key} and ${entry} are signed, but differ. Find out who signed the second`
    return { status: 'invalid', fault: new RuntimeError('MANIFEST_FORKED', text) }
  }
  const text = `${key} holds version ${version}`
  return { status: 'behind', fault: new RuntimeError('MANIFEST_OLDER', text) }
}

async function readPointer(
  access: EnvironmentAccess,
): Promise<{ pointer: PointerStatus; pointed: NewestManifest | null }> {
  const { signal } = access
  try {
    const read = await createVerifiedReader(access).manifest({ signal })
    if (read.status !== 'found') {
      return { pointer: { status: 'missing', etag: null, fault: null }, pointed: null }
    }
    const pointer: PointerStatus = { status: 'current', etag: read.etag, fault: null }
    return { pointer, pointed: toNewest(read) }
  } catch (fault) {
    if (!isRuntimeError(fault) || fault.code.startsWith('STORE_')) throw fault
    const etag = await etagOf(access)
    return { pointer: { status: 'invalid', etag, fault }, pointed: null }
  }
}

/** Of a `manifest.json` that nobody accepts, so that it can be replaced. */
async function etagOf({ store, environment, signal }: EnvironmentAccess): Promise<string | null> {
  const unbounded = Number.MAX_SAFE_INTEGER
  const found = await store.get(objectKey.manifest(environment), { maxBytes: unbounded, signal })
  return found.status === 'found' ? found.etag : null
}

function toNewest({ document, digest, bytes }: Verified<Manifest>): NewestManifest {
  return { manifest: document, digest, bytes }
}

/** The history entry of what `manifest.json` says; a bucket restored without history keeps the copy. */
async function entryOf(
  access: EnvironmentAccess,
  pointed: NewestManifest,
): Promise<NewestManifest> {
  return (await readHistoryEntry(access, pointed.manifest.version)) ?? pointed
}

async function highestEntry(access: EnvironmentAccess): Promise<NewestManifest | null> {
  const [highest] = await listHistory(access)
  return highest === undefined ? null : readHistoryEntry(access, highest)
}

async function followHistory(
  access: EnvironmentAccess,
  start: NewestManifest,
): Promise<NewestManifest> {
  let newest = start
  for (;;) {
    const version = newest.manifest.version + 1
    const next = await readHistoryEntry(access, version)
    if (next === null) return newest
    if (next.manifest.previous !== newest.digest) {
      const key = objectKey.history(access.environment, version)
      throw new RuntimeError(
        'MANIFEST_FORKED',
        `${key} does not follow the version ${version - 1} that is stored: the history was altered. Find out who wrote it before publishing anything`,
        { details: { key, version } },
      )
    }
    newest = next
  }
}
