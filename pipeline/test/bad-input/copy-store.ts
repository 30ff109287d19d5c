import { sizeLimit } from '@needle-faas/runtime/manifest'
import type { ArtifactStore } from '@needle-faas/runtime/store'

/** Makes `to` hold what `from` holds, and nothing else. */
export async function copyStore(from: ArtifactStore, to: ArtifactStore): Promise<void> {
  await fillStore(to, await readStore(from))
}

/** Makes the store hold these objects, and nothing else. */
export async function fillStore(
  store: ArtifactStore,
  objects: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for await (const { key } of store.list('')) await store.delete(key)
  for (const [key, bytes] of objects) await store.put(key, bytes)
}

/** Everything in the store, by key. */
export async function readStore(store: ArtifactStore): Promise<ReadonlyMap<string, Uint8Array>> {
  const objects = new Map<string, Uint8Array>()
  for await (const { key } of store.list('')) {
    const read = await store.get(key, { maxBytes: sizeLimit.sourceMapBytes })
    if (read.status === 'found') objects.set(key, read.bytes)
  }
  return objects
}
