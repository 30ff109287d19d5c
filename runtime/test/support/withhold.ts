import type { ArtifactStore } from '../../src/store/artifact-store.ts'

/**
 * Takes an object out of the store.
 *
 * @returns puts it back
 */
export async function withhold(store: ArtifactStore, key: string): Promise<() => Promise<void>> {
  const found = await store.get(key, { maxBytes: 1024 * 1024 })
  if (found.status !== 'found') throw new Error(`no ${key}`)
  await store.delete(key)
  return async () => void (await store.put(key, found.bytes))
}
