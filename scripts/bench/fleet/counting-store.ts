import type { ArtifactStore } from '@needle-faas/runtime/store'

/** Requests a store was sent, as S3 bills them. */
export interface StoreRequests {
  /** GET, those answered 304 included. */
  gets: number
  /** PUT and LIST. */
  puts: number
}

/** A store that counts what it is asked. */
export function countingStore(store: ArtifactStore, requests: StoreRequests): ArtifactStore {
  return {
    location: store.location,
    get: (key, options) => {
      requests.gets += 1
      return store.get(key, options)
    },
    put: (key, bytes, options) => {
      requests.puts += 1
      return store.put(key, bytes, options)
    },
    list: (prefix, options) => {
      requests.puts += 1
      return store.list(prefix, options)
    },
    delete: (key, options) => store.delete(key, options),
    close: () => store.close(),
  }
}
