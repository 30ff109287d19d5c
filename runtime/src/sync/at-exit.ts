const listeners = new Set<(code: number) => void>()

/**
 * Calls the listener when the process exits by itself (its work is done, or `process.exit`), with the
 * exit code: not when it is killed or crashes. One listener of the process for all, as Node.js warns of
 * more than ten.
 *
 * @returns what takes it back; idempotent
 */
export function atExit(listener: (code: number) => void): () => void {
  if (listeners.size === 0) process.on('exit', tellAll)
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
    if (listeners.size === 0) process.removeListener('exit', tellAll)
  }
}

function tellAll(code: number): void {
  for (const listener of listeners) listener(code)
}
