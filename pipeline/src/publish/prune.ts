import {
  type Digest,
  objectKey,
  type ReleaseRef,
  type TrustRoot,
} from '@needle-faas/runtime/manifest'
import {
  type ArtifactStore,
  createVerifiedReader,
  isRuntimeError,
  type ListedObject,
} from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import { listEnvironments } from '../environment-state/list-environments.ts'
import {
  type EnvironmentAccess,
  listHistory,
  readHistoryEntry,
  readNewest,
  readState,
} from '../environment-state/read-environment.ts'
import { storeTime } from '../environment-state/store-time.ts'
import { releasesOf, toFunctionStates } from '../plan/function-states.ts'
import { findOldReports } from './old-reports.ts'

export interface PruneOptions {
  readonly store: ArtifactStore
  readonly root: TrustRoot
  /** By this machine's clock, epoch milliseconds: where the store tells the time, it goes by that. */
  readonly now: number
  /** What no manifest of the last so many milliseconds names goes. */
  readonly keepMs: number
  /** The report of an instance silent for longer goes, in milliseconds. */
  readonly silentMs: number
  /** False only tells what would go. */
  readonly apply: boolean
  readonly signal?: AbortSignal | undefined
}

export interface PruneResult {
  readonly objects: readonly ListedObject[]
  readonly keptObjects: number
  /** Of instances that nobody has heard of for long. */
  readonly reports: readonly ListedObject[]
  readonly keptReports: number
  /** Of both. */
  readonly sizeBytes: number
}

/**
 * Deletes artifacts, releases, group and quarantine documents and build records that no manifest
 * in use for `keepMs` names, in any environment of the store, and the reports of instances that
 * have long been silent, but for those that a running rollout goes by. History stays. Objects written
 * since then stay too: a publisher may be about to name them.
 *
 * Whatever cannot be read or verified stops it before anything is deleted.
 */
export async function prune(options: PruneOptions): Promise<PruneResult> {
  const { store, signal } = options
  const needed = new Set<string>()
  const reports: ListedObject[] = []
  let keptReports = 0
  const environments = await listEnvironments(store, signal)
  const now = storeTime(store, options.now)
  const keepSince = now - options.keepMs
  for (const environment of environments) {
    const access = { store, environment, root: options.root, signal }
    for (const key of await keysInUse(access, keepSince)) needed.add(key)
    const { old, kept } = await findOldReports(access, now - options.silentMs)
    reports.push(...old)
    keptReports += kept
  }

  const garbage: ListedObject[] = []
  let keptObjects = 0
  for (const prefix of prunedPrefixes(environments)) {
    for await (const object of store.list(prefix, { signal })) {
      const isKept = needed.has(object.key) || object.modifiedAt >= keepSince
      if (isKept) keptObjects++
      else garbage.push(object)
    }
  }
  if (options.apply) {
    // Build records first: one that names a release which is gone would promise what is not there.
    const ordered = [...reports, ...garbage].toSorted((a, b) => rank(a.key) - rank(b.key))
    const limit = pLimit(16)
    for (const level of new Set(ordered.map(({ key }) => rank(key)))) {
      await Promise.all(
        ordered
          .filter(({ key }) => rank(key) === level)
          .map(({ key }) => limit(() => store.delete(key, { signal }))),
      )
    }
  }
  return {
    objects: garbage,
    keptObjects,
    reports,
    keptReports,
    sizeBytes: [...garbage, ...reports].reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  }
}

/** Records, then the releases they name, then the artifacts those name. */
function rank(key: string): number {
  return ['builds/', 'releases/', 'artifacts/'].findIndex((prefix) => key.startsWith(prefix))
}

function prunedPrefixes(environments: readonly string[]): readonly string[] {
  return [
    'builds/',
    'releases/',
    'artifacts/',
    ...environments.flatMap((environment) => [
      `environments/${environment}/groups/`,
      `environments/${environment}/quarantine/`,
    ]),
  ]
}

/** Keys named by the newest manifest and by every one that was the newest at some time since. */
async function keysInUse(access: EnvironmentAccess, keepSince: number): Promise<Set<string>> {
  const reader = createVerifiedReader(access)
  const keys = new Set<string>()
  const releases = new Map<Digest, { readonly ref: ReleaseRef; readonly name: string }>()
  const { newest } = await readNewest(access)
  for (const version of await listHistory(access)) {
    const isNewest = version === newest?.manifest.version
    const entry = isNewest ? newest : await readHistoryEntry(access, version).catch(toUnusable)
    if (entry === null) continue
    const { groups, quarantine } = entry.manifest
    for (const { digest } of Object.values(groups)) {
      keys.add(objectKey.group(access.environment, digest))
    }
    if (quarantine) keys.add(objectKey.quarantine(access.environment, quarantine.digest))
    const state = isNewest
      ? await readState(access, entry)
      : await readState(access, entry).catch(toUnusable)
    for (const [name, each] of toFunctionStates(state?.groups ?? {})) {
      for (const ref of releasesOf(each)) releases.set(ref.release, { ref, name })
    }
    // This one was current when the period began; what came before it had been replaced already.
    if (Date.parse(entry.manifest.issuedAt) < keepSince) break
  }
  const limit = pLimit(16)
  await Promise.all(
    [...releases.values()].map(({ ref, name }) =>
      limit(async () => {
        keys.add(objectKey.release(ref.release))
        keys.add(objectKey.artifact(ref.artifact))
        keys.add(objectKey.sourceMap(ref.artifact))
        const release = await reader.release(ref, name, access).catch(toUnusable)
        if (release !== null) keys.add(objectKey.build(release.document.inputs))
      }),
    ),
  )
  return keys
}

/**
 * An old entry whose objects an earlier run pruned, or whose signer is trusted no more, cannot be
 * gone back to. Anything else that cannot be read stops the pruning.
 */
function toUnusable(error: unknown): null {
  const isUnusable =
    isRuntimeError(error) && (error.code === 'OBJECT_MISSING' || error.code.startsWith('SIGNER_'))
  if (!isUnusable) throw error
  return null
}
