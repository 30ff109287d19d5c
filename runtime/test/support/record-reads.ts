import type { ArtifactStore } from '../../src/store/artifact-store.ts'

export interface RecordingStore {
  readonly store: ArtifactStore
  /** Keys that were read, in order; emptied by the test where it wants to. */
  readonly read: string[]
}

/** The same store, whose reads are written down. */
export function recordReads(store: ArtifactStore): RecordingStore {
  const read: string[] = []
  return {
    read,
    store: {
      ...store,
      get: (key, options) => {
        read.push(key)
        return store.get(key, options)
      },
    },
  }
}
