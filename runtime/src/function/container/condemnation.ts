import { beginRest } from '../turn-rest.ts'

/** Told in the middle of an execution that is about to be ended: it may only take note. */
export type OnCondemned = (requestId: string | null) => void

const containers = new Map<string, Set<OnCondemned>>()

/**
 * Whom to tell when an execution of this revision's code is about to be ended; what it returns takes
 * that back. Two runtimes of one process may have loaded the same revision: both are told, since
 * both run the same code.
 */
export function onCondemnation(revision: string, tell: OnCondemned): () => void {
  const all = containers.get(revision) ?? new Set()
  containers.set(revision, all.add(tell))
  return () => {
    all.delete(tell)
    if (all.size === 0 && containers.get(revision) === all) containers.delete(revision)
  }
}

export function condemn(revision: string, requestId: string | null): void {
  beginRest()
  for (const tell of containers.get(revision) ?? []) tell(requestId)
}
