import { expect, it } from 'vitest'
import { answerLook, askLook, createLookChannel, type LookChannel } from './look-channel.ts'

// How a look goes that is answered needs two threads: the fault tests have them.

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
