import type { Reporter, TestModule, Vitest } from 'vitest/node'

/** A run that does not end by itself. */
export interface StuckRun {
  readonly vitest: Vitest
  /** Absolute paths of the test files that hold it up. */
  readonly files: readonly string[]
}

/**
 * Finds test files of which nothing is heard for `limitMs`. The limits that vitest sets to tests and
 * hooks need the event loop of the thread they run in, and it sets none to loading a file: code that
 * loops, or waits for ever at its top level, holds up the run.
 */
export function watchForStuckTests(limitMs: number): {
  readonly reporter: Reporter
  /** Pending for as long as tests go on. */
  readonly stuck: Promise<StuckRun>
  stop(): void
} {
  /** When each was heard of, by path: vitest tells of the same file by several objects. */
  const running = new Map<string, number>()
  const stuck = Promise.withResolvers<StuckRun>()
  let vitest: Vitest | null = null

  const hear = ({ moduleId }: TestModule): void => {
    running.set(moduleId, performance.now())
  }
  const look = (): void => {
    const silent = [...running].filter(([, heardAt]) => performance.now() - heardAt > limitMs)
    if (silent.length === 0 || vitest === null) return
    stuck.resolve({ vitest, files: silent.map(([file]) => file) })
  }
  const timer = setInterval(look, limitMs / 10)

  return {
    reporter: {
      onInit: (started) => {
        vitest = started
      },
      onTestModuleQueued: hear,
      onTestModuleCollected: hear,
      onTestModuleStart: hear,
      onTestCaseReady: (test) => hear(test.module),
      onTestCaseResult: (test) => hear(test.module),
      onTestModuleEnd: ({ moduleId }) => void running.delete(moduleId),
    },
    stuck: stuck.promise,
    stop: () => clearInterval(timer),
  }
}
