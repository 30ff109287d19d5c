/** Work of which only the newest matters: starting it again ends what ran before. */
export interface BackgroundTask {
  /** Runs `work` after what ran before has ended. Best effort: its failure is nobody's. */
  restart(work: (signal: AbortSignal) => Promise<void>): void
  /** Aborts what runs and resolves when it has ended. */
  stop(): Promise<void>
}

export function createBackgroundTask(): BackgroundTask {
  let current = new AbortController()
  let running: Promise<unknown> = Promise.resolve()

  const stop = async (): Promise<void> => {
    current.abort(new Error('Replaced by newer work'))
    await running
  }

  return {
    restart: (work) => {
      const stopped = stop()
      const next = new AbortController()
      current = next
      running = stopped
        .then(() => (next.signal.aborted ? undefined : work(next.signal)))
        .catch(() => undefined)
    },
    stop,
  }
}
