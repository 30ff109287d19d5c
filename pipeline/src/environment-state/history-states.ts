import { isRuntimeError } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import type { EnvironmentState, NewestManifest } from './environment-state.ts'
import { cacheImmutable } from './immutable-cache.ts'
import {
  type EnvironmentAccess,
  listHistory,
  readHistoryEntry,
  readState,
} from './read-environment.ts'

/** One manifest of the history and what it described, as far as that can still be read. */
export interface HistoryState {
  readonly version: number
  /** Null when the entry itself is no longer accepted; `fault` says why. */
  readonly manifest: NewestManifest | null
  /** Null when what the manifest names was pruned or is damaged. */
  readonly state: EnvironmentState | null
  readonly fault: string | null
}

/**
 * The newest entries of the history, newest first. What no longer verifies, or was pruned, is
 * listed all the same.
 *
 * @throws RuntimeError `STORE_*`
 */
export async function readHistoryStates(
  access: EnvironmentAccess,
  limit: number,
): Promise<readonly HistoryState[]> {
  // Most groups are the same from one manifest to the next.
  const cached = { ...access, store: cacheImmutable(access.store) }
  const atOnce = pLimit(16)
  const versions = (await listHistory(access)).slice(0, limit)
  return Promise.all(versions.map((version) => atOnce(() => readOne(cached, version))))
}

async function readOne(access: EnvironmentAccess, version: number): Promise<HistoryState> {
  try {
    const manifest = await readHistoryEntry(access, version)
    if (manifest === null) {
      return { version, manifest, state: null, fault: 'it disappeared meanwhile' }
    }
    const state = await readState(access, manifest).catch(toFault)
    return { version, manifest, state: typeof state === 'string' ? null : state, fault: null }
  } catch (error) {
    return { version, manifest: null, state: null, fault: toFault(error) }
  }
}

function toFault(error: unknown): string {
  if (!isRuntimeError(error) || error.code.startsWith('STORE_')) throw error
  return `${error.code}: ${error.message}`
}
