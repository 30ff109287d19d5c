import type { Clock } from '../clock.ts'
import { backoffDelayMs, pollDelayMs } from './poll-delay.ts'

export interface PollLoop {
  /** Polls at once, then for ever. */
  start(): void
  /** Resolves after a poll that began after this call. Polls never overlap. */
  refresh(): Promise<void>
  /** Aborts a poll that runs and waits for it to end. Idempotent. */
  close(): Promise<void>
}

export interface PollLoopOptions {
  readonly intervalMs: number
  readonly clock: Clock
  /** Uniform in [0, 1). */
  readonly random: () => number
  /** One poll; says whether it succeeded, which decides how long to wait. Never rejects. */
  readonly poll: (signal: AbortSignal) => Promise<'ok' | 'failed'>
}

/** Polls with jitter, and with full-jitter back-off while it fails. */
export function createPollLoop({ intervalMs, clock, random, poll }: PollLoopOptions): PollLoop {
  const closing = new AbortController()
  let failures = 0
  let queued: Promise<void> | null = null
  let tail: Promise<void> = Promise.resolve()
  let loop: Promise<void> = Promise.resolve()

  const pollOnce = async (): Promise<void> => {
    queued = null
    if (closing.signal.aborted) return
    const outcome = await poll(closing.signal)
    failures = outcome === 'ok' ? 0 : failures + 1
  }

  const pollNext = (): Promise<void> => {
    if (queued !== null) return queued
    queued = tail.then(pollOnce)
    tail = queued
    return queued
  }

  const delayMs = (): number =>
    failures === 0
      ? pollDelayMs(intervalMs, random())
      : backoffDelayMs(intervalMs, failures, random())

  const run = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      await pollNext()
      await clock.sleep(delayMs(), closing.signal)
    }
  }

  return {
    start: () => {
      loop = run()
    },
    refresh: pollNext,
    close: async () => {
      closing.abort(new Error('The runtime is closing'))
      await Promise.all([loop, tail])
    },
  }
}
