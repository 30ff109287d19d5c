import type { ArtifactStore } from '@needle-faas/runtime/store'

/** What a store of `killedAt` throws. */
export const killed = new Error('killed')

/** A store through which a process dies around its n-th write: nothing gets through afterwards. */
export function killedAt(
  store: ArtifactStore,
  n: number,
  moment: 'before' | 'after',
): ArtifactStore {
  let writes = 0
  return {
    location: store.location,
    get: (key, options) => {
      if (writes >= n) throw killed
      return store.get(key, options)
    },
    put: async (key, bytes, options) => {
      writes++
      if (writes > n || (writes === n && moment === 'before')) throw killed
      const result = await store.put(key, bytes, options)
      if (writes >= n) throw killed
      return result
    },
    list: (prefix, options) => store.list(prefix, options),
    delete: (key, options) => store.delete(key, options),
    close: () => store.close(),
  }
}
