import type { ArtifactStore, GetResult } from '@needle-faas/runtime/store'

/** A store that fetches group documents, quarantine lists and releases, which never change, once. */
export function cacheImmutable(store: ArtifactStore): ArtifactStore {
  const fetched = new Map<string, Promise<GetResult>>()
  return {
    ...store,
    get: (key, options) => {
      if (!/(?:^|\/)(?:groups|quarantine|releases)\/[0-9a-f]{64}\.json$/.test(key)) {
        return store.get(key, options)
      }
      const id = `${key} ${options.maxBytes}`
      const known = fetched.get(id)
      if (known !== undefined) return known
      const fetching = store.get(key, options)
      fetched.set(id, fetching)
      // A failure is not kept: the next reader may have more luck. Whoever asked learns of it.
      fetching.catch(() => fetched.delete(id))
      return fetching
    },
  }
}
