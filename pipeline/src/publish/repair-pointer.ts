import { isRuntimeError, RuntimeError } from '@needle-faas/runtime/store'
import { objectKey } from '@needle-faas/runtime/manifest'
import { type HistoryReading, readNewest } from '../environment-state/read-environment.ts'
import type { Publisher } from './publisher.ts'

/** How often a store may refuse to replace an object that nobody changed meanwhile. */
const maxRefusals = 3

/**
 * Moves `manifest.json`, the copy that runtimes poll, on to the newest history entry. Does nothing
 * when it is there already. Another publisher moving it further at the same moment is fine.
 *
 * @throws RuntimeError `STORE_NOT_CONDITIONAL` when the store refuses although nobody was faster.
 */
export async function repairPointer(
  publisher: Pick<Publisher, 'access' | 'singleWriter'>,
  reading: HistoryReading,
): Promise<void> {
  const { store, environment, signal } = publisher.access
  const key = objectKey.manifest(environment)
  let current = reading
  let refusals = 0
  for (;;) {
    const { newest, pointer } = current
    const { status, etag } = pointer
    if (newest === null || status === 'current') return
    const condition = etag === null ? ('absent' as const) : { etag }
    const result = await store
      .put(key, newest.bytes, { condition, signal })
      .catch((error: unknown) => {
        if (!publisher.singleWriter || !isRuntimeError(error, 'STORE_NOT_CONDITIONAL')) throw error
        return store.put(key, newest.bytes, { signal })
      })
    if (result.status === 'written') return
    current = await readNewest(publisher.access)
    refusals = current.pointer.etag === etag ? refusals + 1 : 0
    if (refusals === maxRefusals) throw deafStore(store.location, key)
  }
}

/** Ceph does so when it is given etags in quotes, others when it is not. */
function deafStore(location: string, key: string): RuntimeError {
  return new RuntimeError(
    'STORE_NOT_CONDITIONAL',
    `${location} refuses to replace ${key} even with its current etag, so instances do not see what is in the history by now. The store may want etags without quotes: add ifMatch=bare to its address (or take it away); needle doctor tells whether that helps. The next publish completes this one`,
    { details: { key } },
  )
}
