/** The seam through which everything here learns the time and waits, so that tests need not sleep. */
export interface Clock {
  /** Wall time in epoch milliseconds. */
  now(): number
  /** Resolves after `delayMs`, or at once when `signal` aborts. Never rejects; never keeps a process alive. */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (delayMs, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const finish = (): void => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', finish)
        resolve()
      }
      const timer = setTimeout(finish, delayMs)
      timer.unref()
      signal?.addEventListener('abort', finish, { once: true })
    }),
}
