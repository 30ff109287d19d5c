import { isRuntimeError } from '@needle-faas/runtime/store'
import { objectKey } from '@needle-faas/runtime/manifest'
import { type HistoryReading, readNewest } from '../environment-state/read-environment.ts'
import type { Publisher } from './change-environment.ts'

/**
 * Moves `manifest.json`, the copy that runtimes poll, on to the newest history entry. Does nothing
 * when it is there already. Another publisher moving it further at the same moment is fine.
 */
export async function repairPointer(
  publisher: Pick<Publisher, 'access' | 'singleWriter'>,
  reading: HistoryReading,
): Promise<void> {
  const { store, environment, signal } = publisher.access
  const key = objectKey.manifest(environment)
  let current = reading
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
  }
}
