import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { chooseSide, keyPercent } from './choose-side.ts'

const weight = fc.integer({ min: 0, max: 100 })

/** Pearson's statistic of `counts` against a uniform distribution. */
function chiSquare(counts: readonly number[]): number {
  const expected = counts.reduce((sum, count) => sum + count, 0) / counts.length
  return counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0)
}

function bucketCounts(keys: Iterable<string>, salt: string): number[] {
  const counts = Array.from({ length: 100 }, () => 0)
  for (const key of keys) {
    const bucket = Math.floor(keyPercent(salt, key))
    counts[bucket] = (counts[bucket] ?? 0) + 1
  }
  return counts
}

// 99 degrees of freedom: 148.2 is exceeded by one uniform sample of a thousand.
const chiSquareLimit = 148.2

describe('chooseSide', () => {
  it.each([
    ['numbered users', (index: number) => `user-${index}`],
    ['addresses', (index: number) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`],
    ['bare numbers', (index: number) => String(index)],
    ['Chinese names', (index: number) => `用户${index}`],
  ])('spreads %s evenly over the scale', (_name, keyOf) => {
    const keys = Array.from({ length: 100_000 }, (_, index) => keyOf(index))
    for (const salt of ['a1b2c3d4', 'ffffffff', 'shop-card-7']) {
      expect(chiSquare(bucketCounts(keys, salt))).toBeLessThan(chiSquareLimit)
    }
  })

  it('chooses other keys under another salt', () => {
    const keys = Array.from({ length: 10_000 }, (_, index) => `user-${index}`)
    const canaries = (salt: string) =>
      new Set(keys.filter((key) => chooseSide({ salt, key, weightPercent: 10 }) === 'canary'))
    const first = canaries('salt-one')
    const both = [...canaries('salt-two')].filter((key) => first.has(key))
    // Independent choices of 10 % each share 1 %: 100 of 10 000, ± 10 each standard deviation.
    expect(both.length).toBeGreaterThan(60)
    expect(both.length).toBeLessThan(140)
  })

  it('keeps a key on its canary as the weight grows, and on stable as it shrinks', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), weight, weight, (salt, key, a, b) => {
        const low = chooseSide({ salt, key, weightPercent: Math.min(a, b) })
        const high = chooseSide({ salt, key, weightPercent: Math.max(a, b) })
        expect(low === 'canary' && high === 'stable').toBe(false)
      }),
    )
  })

  it('sends nobody to a canary at 0 and everybody at 100', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (salt, key) => {
        expect(chooseSide({ salt, key, weightPercent: 0 })).toBe('stable')
        expect(chooseSide({ salt, key, weightPercent: 100 })).toBe('canary')
      }),
    )
  })

  it('gives every instance and every release of this package the same answer', () => {
    expect(keyPercent('a1b2c3d4', 'user-1')).toMatchInlineSnapshot(`17.5067531876266`)
    expect(keyPercent('a1b2c3d4', '用户')).toMatchInlineSnapshot(`60.36437461152673`)
    expect(keyPercent('', '')).toMatchInlineSnapshot(`72.17329808045179`)
  })

  it('keeps salt and key apart', () => {
    expect(keyPercent('ab', 'c')).not.toBe(keyPercent('a', 'bc'))
  })
})
