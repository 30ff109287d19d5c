import { expect, test } from 'vitest'
import { createAnswerClock } from './answer-clock.ts'

const here = Date.parse('2026-11-26T04:10:00Z')

test.each([
  ['a server ten minutes behind', { date: 'Thu, 26 Nov 2026 04:00:00 GMT' }, -600_000],
  ['a server ten minutes ahead', { date: 'Thu, 26 Nov 2026 04:20:00 GMT' }, 600_000],
  ['a cache that repeats', { date: 'Thu, 26 Nov 2026 04:00:00 GMT', age: '600' }, null],
  ['a server without a clock', {}, null],
  ['a server that talks nonsense', { date: 'now' }, null],
])('%s is told so, to half a second', (_, headers, offsetMs) => {
  const clock = createAnswerClock(() => here)
  clock.note({ headers })
  expect(clock.offsetMs()).toBe(offsetMs === null ? null : offsetMs + 500)
})

test('an answer that tells nothing leaves what the one before told', () => {
  const clock = createAnswerClock(() => here)
  expect(clock.offsetMs()).toBeNull()
  clock.note({ headers: { date: 'Thu, 26 Nov 2026 04:00:00 GMT' } })
  for (const nothing of [undefined, null, 'x', {}, { headers: null }]) clock.note(nothing)
  expect(clock.offsetMs()).toBe(-599_500)
})
