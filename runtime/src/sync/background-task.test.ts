import { expect, it, vi } from 'vitest'
import { createBackgroundTask } from './background-task.ts'

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))

it('ends the work before it begins the next', async () => {
  const task = createBackgroundTask()
  const events: string[] = []
  task.restart(async (signal) => {
    events.push('first begins')
    await untilAborted(signal)
    events.push('first ends')
  })
  await new Promise((resolve) => setImmediate(resolve))
  task.restart(async () => void events.push('second begins'))
  await expect.poll(() => events).toEqual(['first begins', 'first ends', 'second begins'])
})

it('has ended when stop resolves, and never begins what was stopped before its turn', async () => {
  const task = createBackgroundTask()
  const begun: string[] = []
  task.restart(async (signal) => {
    begun.push('one')
    await untilAborted(signal)
    begun.pop()
  })
  await new Promise((resolve) => setImmediate(resolve))
  task.restart(async () => void begun.push('two'))
  await task.stop()
  expect(begun).toEqual([])
})

it('survives work that fails', async () => {
  const task = createBackgroundTask()
  task.restart(() => Promise.reject(new Error('away')))
  await task.stop()
  const ran = vi.fn<() => Promise<void>>()
  task.restart(ran)
  await expect.poll(() => ran.mock.calls.length).toBe(1)
})
