import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'

/**
 * The same store with an end to every read: `STORE_TIMEOUT` after `timeoutMs`, even from a store
 * that never answers and ignores its signal.
 */
export function limitStoreTime(
  store: ArtifactStore,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): ArtifactStore {
  return {
    ...store,
    get: async (key, options) => {
      const over = new AbortController()
      const done = new AbortController()
      const signal =
        options.signal === undefined ? over.signal : AbortSignal.any([options.signal, over.signal])
      const timeout = async (): Promise<void> => {
        await clock.sleep(timeoutMs, done.signal)
        if (done.signal.aborted) return
        over.abort(
          new RuntimeError(
            'STORE_TIMEOUT',
            `${store.location} did not deliver ${key} within ${timeoutMs} ms`,
            { details: { key, timeoutMs } },
          ),
        )
      }
      const timing = timeout()
      try {
        return await Promise.race([
          store.get(key, { ...options, signal }),
          new Promise<never>((_resolve, reject) => {
            signal.addEventListener('abort', () => reject(toError(signal.reason)), { once: true })
            if (signal.aborted) reject(toError(signal.reason))
          }),
        ])
      } finally {
        done.abort()
        await timing
      }
    },
  }
}

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('Aborted', { cause: reason })
}
