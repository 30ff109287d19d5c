import { digestOf } from '../manifest/digest.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { assertStoreKey } from './store-key.ts'
import { tooLarge } from './too-large.ts'

/** A store that lives and dies with the process. */
export function createMemoryStore(): ArtifactStore {
  const objects = new Map<string, { bytes: Uint8Array; etag: string; modifiedAt: number }>()

  return {
    location: 'memory:',

    async get(key, { maxBytes, ifNoneMatch, signal }) {
      assertStoreKey(key)
      signal?.throwIfAborted()
      const object = objects.get(key)
      if (object === undefined) return { status: 'missing' }
      if (object.etag === ifNoneMatch) return { status: 'notModified' }
      if (object.bytes.byteLength > maxBytes) throw tooLarge(key, maxBytes)
      return { status: 'found', bytes: object.bytes.slice(), etag: object.etag }
    },

    async put(key, bytes, { condition, signal } = {}) {
      assertStoreKey(key)
      signal?.throwIfAborted()
      const etag = digestOf(bytes)
      const current = objects.get(key)?.etag
      const holds =
        condition === undefined ||
        (condition === 'absent' ? current === undefined : current === condition.etag)
      if (!holds) return current === etag ? { status: 'written', etag } : { status: 'conflict' }
      objects.set(key, { bytes: Uint8Array.from(bytes), etag, modifiedAt: Date.now() })
      return { status: 'written', etag }
    },

    async *list(prefix, { signal } = {}) {
      for (const [key, { bytes, modifiedAt }] of Array.from(objects)) {
        signal?.throwIfAborted()
        if (key.startsWith(prefix)) yield { key, sizeBytes: bytes.byteLength, modifiedAt }
      }
    },

    async delete(key, { signal } = {}) {
      assertStoreKey(key)
      signal?.throwIfAborted()
      objects.delete(key)
    },

    async close() {
      objects.clear()
    },
  }
}
