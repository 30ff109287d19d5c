import type { Clock } from '../clock.ts'
import { RuntimeError } from '../errors.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { listKeys } from '../store/list-keys.ts'

/**
 * The same store with an end to every read and write of an object: `STORE_TIMEOUT` after
 * `timeoutMs`, even from a store that never answers and ignores its signal.
 */
export function limitStoreTime(
  store: ArtifactStore,
  { clock, timeoutMs }: { readonly clock: Clock; readonly timeoutMs: number },
): ArtifactStore {
  const limited = async <Result>(
    what: string,
    given: AbortSignal | undefined,
    work: (signal: AbortSignal) => Promise<Result>,
  ): Promise<Result> => {
    // Not `AbortSignal.any`: one that still has a listener lives as long as its sources, and the
    // store may listen and never stop. The given signal lives as long as the runtime.
    const over = new AbortController()
    const done = new AbortController()
    const { signal } = over
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => reject(toError(signal.reason)), { once: true })
    })
    const follow = (): void => over.abort(given?.reason)
    const timeout = async (): Promise<void> => {
      await clock.sleep(timeoutMs, done.signal)
      if (done.signal.aborted) return
      over.abort(
        new RuntimeError(
          'STORE_TIMEOUT',
          `${store.location} did not ${what} within ${timeoutMs} ms`,
          { details: { timeoutMs } },
        ),
      )
    }
    given?.addEventListener('abort', follow, { once: true })
    const timing = timeout()
    try {
      if (given?.aborted === true) follow()
      return await Promise.race([aborted, work(signal)])
    } finally {
      given?.removeEventListener('abort', follow)
      done.abort(settled)
      await timing
    }
  }

  return {
    location: store.location,
    get: (key, options) =>
      limited(`deliver ${key}`, options.signal, async (signal) =>
        store.get(key, { ...options, signal }),
      ),
    put: (key, bytes, options = {}) =>
      limited(`take ${key}`, options.signal, async (signal) =>
        store.put(key, bytes, { ...options, signal }),
      ),
    list: (prefix, options) => store.list(prefix, options),
    keys: (prefix, options) => listKeys(store, prefix, options),
    delete: (key, options = {}) =>
      limited(`delete ${key}`, options.signal, async (signal) => store.delete(key, { signal })),
    close: () => store.close(),
  }
}

/** At hand, because the default one costs a stack trace for each read. */
const settled = new Error('The store has answered')

function toError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error('Aborted', { cause: reason })
}
