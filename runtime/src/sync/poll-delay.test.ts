import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { backoffDelayMs, maxBackoffMs, pollDelayMs } from './poll-delay.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

describe('pollDelayMs', () => {
  it('stays within a quarter of the interval and reaches both ends', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1_000_000 }), random, (intervalMs, value) => {
        const delay = pollDelayMs(intervalMs, value)
        expect(delay).toBeGreaterThanOrEqual(intervalMs * 0.75)
        expect(delay).toBeLessThanOrEqual(intervalMs * 1.25)
      }),
    )
    expect(pollDelayMs(1000, 0)).toBe(750)
    expect(pollDelayMs(1000, 0.5)).toBe(1000)
  })
})

describe('backoffDelayMs', () => {
  it.each([
    [1, 2_000],
    [2, 4_000],
    [3, 8_000],
    [10, maxBackoffMs],
    [10_000, maxBackoffMs],
  ])('waits at most its ceiling after failure %i', (failures, ceiling) => {
    expect(backoffDelayMs(1000, failures, 0)).toBe(0)
    expect(backoffDelayMs(1000, failures, 0.5)).toBe(ceiling / 2)
  })
})
