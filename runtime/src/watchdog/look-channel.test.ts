import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { expect, it } from 'vitest'
import { answerLook, askLook, createLookChannel, type LookChannel } from './look-channel.ts'

// How a look goes that is answered needs two threads.

const code = { revision: 'shop/card@0123456789ab', requestId: 'r1', isStoppable: true }

/** Both ends of looks through one channel, and what was called there. */
function createFixture(channel: LookChannel = createLookChannel(), requestId = 'r1') {
  const called: string[] = []
  return {
    called,
    ask: (look: number, ask: () => void) =>
      askLook(channel, look, {
        ask,
        decide: () => called.push('decide') > 0,
        end: () => void called.push('end'),
      }),
    answer: (look: number) =>
      answerLook(channel, look, {
        find: () => {
          called.push('find')
          return { ...code, requestId }
        },
        condemn: () => void called.push('condemn'),
      }),
  }
}

it('is lost when no answer comes, and an answer that is late ends there', () => {
  const { ask, answer, called } = createFixture()
  expect(ask(1, () => {})).toBe('lost')
  answer(1)
  expect(called).toEqual([])
})

it('is lost when the asker is not there for the answer, and condemns nobody', () => {
  const { ask, answer, called } = createFixture()
  // In one thread the answer waits in vain for a decision.
  expect(ask(1, () => answer(1))).toBe('lost')
  expect(called).toEqual(['find'])
})

it('takes no answer to an earlier look', () => {
  const { ask, answer, called } = createFixture()
  expect(ask(2, () => answer(1))).toBe('lost')
  expect(called).toEqual([])
})

it('tells of a revision whose request id is longer than what the answer holds', () => {
  const channel = createLookChannel()
  const { ask, answer } = createFixture(channel, 'x'.repeat(10_000))
  ask(1, () => answer(1))
  const told = Buffer.from(channel.answer).toString().split('\0')[0]
  expect(JSON.parse(told ?? '')).toEqual({ ...code, requestId: null })
})

it.each([
  ['decides at once', 0, { result: { code, isEnded: true }, ended: 1 }, ['find', 'condemn']],
  ['is starved for longer than that is waited for', 800, { result: 'lost', ended: 0 }, ['find']],
])(
  'ends what it condemns, and nothing else, when the asker %s',
  async (_, decideMs, told, called) => {
    const channel = createLookChannel()
    const fixture = createFixture(channel)
    const program = new URL('./testing/asking-thread.ts', import.meta.url)
    const worker = new Worker(program, { workerData: { channel, look: 1, decideMs } })
    const message = once(worker, 'message')
    await once(worker, 'online')
    // As busy as the main thread is that is asked: the asker does not wait for long.
    while (Atomics.load(channel.state, 0) === 0) Atomics.wait(channel.state, 0, 0, 5)
    fixture.answer(1)
    expect(await message).toEqual([told])
    expect(fixture.called).toEqual(called)
  },
)
