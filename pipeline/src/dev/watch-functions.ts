import { setTimeout as delay } from 'node:timers/promises'
import { join } from 'node:path'
import { watch } from 'chokidar'

/** Editors write in several steps: changes closer together than this are one. */
const settleMs = 40

/**
 * Yields after each burst of changes below `functions/`, until `signal` aborts. Changes that come
 * while the consumer is busy are taken together afterwards.
 */
export async function* watchFunctions(
  directory: string,
  signal: AbortSignal,
): AsyncGenerator<void, void, void> {
  let changed = Promise.withResolvers<void>()
  const wake = (): void => changed.resolve()
  const watcher = watch(join(directory, 'functions'), {
    ignoreInitial: true,
    ignored: (path) => /[/\\](?:node_modules|coverage|\.[^/\\]+)$/.test(path),
  })
  watcher.on('all', wake)
  signal.addEventListener('abort', wake, { once: true })
  try {
    for (;;) {
      await changed.promise
      if (signal.aborted) return
      await delay(settleMs)
      changed = Promise.withResolvers()
      yield
    }
  } finally {
    signal.removeEventListener('abort', wake)
    await watcher.close()
  }
}
