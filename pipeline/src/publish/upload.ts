import { isRuntimeError } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import type { Publisher } from './publisher.ts'

/** An immutable object named by its digest. */
export interface Upload {
  readonly key: string
  /** Read when its turn comes, so that a large build is not held in memory. */
  readonly read: () => Promise<Uint8Array>
}

const parallelUploads = 16

/** Stores objects, some at a time, and resolves when all are stored. What is stored already is left alone. */
export async function uploadObjects(
  publisher: Publisher,
  uploads: readonly Upload[],
): Promise<void> {
  const limit = pLimit(parallelUploads)
  await Promise.all(
    uploads.map((upload) =>
      limit(async () => putImmutable(publisher, upload.key, await upload.read())),
    ),
  )
}

/**
 * Stores bytes under a key that is derived from them. Something else under it can only be damage,
 * so it is replaced.
 */
export async function putImmutable(
  { access, singleWriter }: Pick<Publisher, 'access' | 'singleWriter'>,
  key: string,
  bytes: Uint8Array,
): Promise<void> {
  const { store, signal } = access
  try {
    const result = await store.put(key, bytes, { condition: 'absent', signal })
    if (result.status === 'conflict') await store.put(key, bytes, { signal })
  } catch (error) {
    if (!singleWriter || !isRuntimeError(error, 'STORE_NOT_CONDITIONAL')) throw error
    await store.put(key, bytes, { signal })
  }
}
