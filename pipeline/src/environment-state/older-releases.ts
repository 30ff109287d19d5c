import type { ReleaseRef } from '@needle-faas/runtime/manifest'
import { createVerifiedReader, isRuntimeError } from '@needle-faas/runtime/store'
import { releasesOf, toFunctionStates } from '../plan/function-states.ts'
import {
  type EnvironmentAccess,
  listHistory,
  readHistoryEntry,
  readState,
} from './read-environment.ts'

/** How many manifests back a rollback looks. */
const versionsSearched = 100

/**
 * Releases of a function that the last 100 manifests named and that are still there, newest first.
 * Entries signed by keys that are trusted no more are skipped: nothing of them may serve.
 */
export async function findOlderReleases(
  access: EnvironmentAccess,
  functionName: string,
): Promise<readonly ReleaseRef[]> {
  const reader = createVerifiedReader(access)
  const found = new Map<string, ReleaseRef>()
  const versions = (await listHistory(access)).slice(0, versionsSearched)
  const states = await Promise.all(versions.map((version) => readOldState(access, version)))
  for (const ref of states.flatMap((groups) => {
    const state = groups && toFunctionStates(groups).get(functionName)
    return state ? releasesOf(state) : []
  })) {
    if (found.has(ref.release)) continue
    const stored = await reader.release(ref, functionName, access).catch(notUsable)
    if (stored !== null) found.set(ref.release, ref)
  }
  return [...found.values()]
}

async function readOldState(
  access: EnvironmentAccess,
  version: number,
): Promise<Awaited<ReturnType<typeof readState>>['groups'] | null> {
  const entry = await readHistoryEntry(access, version).catch(notUsable)
  if (entry === null) return null
  const state = await readState(access, entry).catch(notUsable)
  return state?.groups ?? null
}

/** Pruned or no longer trusted: cannot be rolled back to. A store that fails is still a failure. */
function notUsable(error: unknown): null {
  if (!isRuntimeError(error) || error.code.startsWith('STORE_')) throw error
  return null
}
