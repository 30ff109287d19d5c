import { once } from 'node:events'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { watch } from 'chokidar'

/** Editors write in several steps: changes closer together than this are one. */
const settleMs = 40

/**
 * Resolves once every change below `functions/` from now on will be noticed; yields after each burst
 * of them, until `signal` aborts. Changes that come while the consumer is busy are taken together
 * afterwards.
 */
export async function watchFunctions(
  directory: string,
  signal: AbortSignal,
): Promise<AsyncGenerator<void, void, void>> {
  let changed = Promise.withResolvers<void>()
  const wake = (): void => changed.resolve()
  const watcher = watch(join(directory, 'functions'), {
    ignoreInitial: true,
    ignored: (path) => /[/\\](?:node_modules|coverage|\.[^/\\]+)$/.test(path),
  })
  watcher.on('all', wake)
  signal.addEventListener('abort', wake, { once: true })
  await once(watcher, 'ready')

  return (async function* bursts() {
    try {
      for (;;) {
        await changed.promise
        if (!signal.aborted) await delay(settleMs)
        if (signal.aborted) return
        changed = Promise.withResolvers()
        yield
      }
    } finally {
      signal.removeEventListener('abort', wake)
      await watcher.close()
    }
  })()
}
