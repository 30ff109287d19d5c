import { expect, it } from 'vitest'
import { createPollLoop } from './poll-loop.ts'

/** Records the waits and lets them end by hand. */
function createRecordingClock() {
  const waits: number[] = []
  let wake: (() => void) | null = null
  return {
    waits,
    next: () => wake?.(),
    clock: {
      now: () => 0,
      sleep: (delayMs: number, signal?: AbortSignal) =>
        new Promise<void>((resolve) => {
          waits.push(delayMs)
          wake = resolve
          if (signal?.aborted === true) resolve()
          signal?.addEventListener('abort', () => resolve(), { once: true })
        }),
    },
  }
}

it('backs off while polls fail and returns to the interval when one succeeds', async () => {
  const outcomes = ['ok', 'failed', 'failed', 'ok'] as const
  const { waits, next, clock } = createRecordingClock()
  let polls = 0
  const loop = createPollLoop({
    intervalMs: 1000,
    clock,
    random: () => 0.5,
    poll: async () => outcomes[polls++] ?? 'ok',
  })
  loop.start()
  for (let round = 1; round <= outcomes.length; round++) {
    await expect.poll(() => waits.length).toBe(round)
    next()
  }
  await loop.close()
  expect(waits.slice(0, 4)).toEqual([1000, 1000, 2000, 1000])
})

it('never runs two polls at once, however many ask, and asks once for all who wait', async () => {
  const { clock } = createRecordingClock()
  let running = 0
  let most = 0
  let polls = 0
  const loop = createPollLoop({
    intervalMs: 1000,
    clock,
    random: () => 0.5,
    poll: async () => {
      polls++
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return 'ok'
    },
  })
  const first = loop.refresh()
  await Promise.resolve()
  await Promise.all([first, loop.refresh(), loop.refresh(), loop.refresh()])
  expect(most).toBe(1)
  expect(polls).toBe(2)
  await loop.close()
})

it('aborts a poll that hangs when it closes', async () => {
  const { clock } = createRecordingClock()
  const loop = createPollLoop({
    intervalMs: 1000,
    clock,
    random: () => 0.5,
    poll: (signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve('failed'))),
  })
  loop.start()
  await Promise.resolve()
  await expect(loop.close()).resolves.toBeUndefined()
})
