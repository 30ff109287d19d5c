import { expect, it } from 'vitest'
import { canaryTimeMs } from './canary-time.ts'

it.each([
  ['half while nothing is known of stable', 1000, null, 500],
  ['all but a quarter of a long time', 1000, 1, 750],
  ['all but 50 ms of a short one, however fast stable is', 120, 1, 70],
  ['all but what two calls of stable take', 1000, 200, 600],
  ['no share when both would not fit', 1000, 300, null],
  ['no share of a time that stable needs whole', 40, 1, null],
])('gives the canary %s', (_title, timeoutMs, usualMs, expected) => {
  expect(canaryTimeMs(timeoutMs, usualMs)).toBe(expected)
})
