import { describe, expect, it } from 'vitest'
import { createSeededRandom, shuffled } from './seeded-random.ts'
import { estimateMedian, pairedRatios, quantile, spreadPercent } from './statistics.ts'

describe('quantile', () => {
  it.each([
    { samples: [7], q: 0.5, value: 7 },
    { samples: [3, 1, 2], q: 0.5, value: 2 },
    { samples: [4, 1, 3, 2], q: 0.5, value: 2.5 },
    { samples: [10, 9, 1], q: 0, value: 1 },
    { samples: [10, 9, 1], q: 1, value: 10 },
    { samples: [0, 10], q: 0.25, value: 2.5 },
  ])('of $samples at $q is $value', ({ samples, q, value }) => {
    expect(quantile(samples, q)).toBe(value)
  })

  it('orders by number, not by text', () => {
    expect(quantile([9, 10, 100], 0.5)).toBe(10)
  })

  it('refuses to make up a value for no samples', () => {
    expect(() => quantile([], 0.5)).toThrow(RangeError)
  })
})

describe('estimateMedian', () => {
  it('has no width when the samples agree', () => {
    expect(estimateMedian([0.95, 0.95, 0.95], { seed: 1 })).toEqual({
      median: 0.95,
      low: 0.95,
      high: 0.95,
    })
  })

  it('repeats itself for the same seed', () => {
    const samples = [0.9, 1.1, 1, 0.97, 1.03]
    expect(estimateMedian(samples, { seed: 5 })).toEqual(estimateMedian(samples, { seed: 5 }))
  })

  it('covers the true median in about 95 of 100 repetitions', () => {
    const random = createSeededRandom(11)
    const repetitions = 400
    let covered = 0
    for (let repetition = 0; repetition < repetitions; repetition++) {
      const samples = Array.from({ length: 12 }, () => (random() + random()) / 2)
      const { low, high } = estimateMedian(samples, { seed: repetition, resamples: 400 })
      if (low <= 0.5 && 0.5 <= high) covered++
    }
    expect(covered / repetitions).toBeGreaterThan(0.9)
    expect(covered / repetitions).toBeLessThan(0.99)
  })
})

describe('pairs', () => {
  it('compares within a round, so that a slow round cancels out', () => {
    expect(pairedRatios([50, 100], [100, 200])).toEqual([0.5, 0.5])
  })

  it('refuses rounds that lack an arm', () => {
    expect(() => pairedRatios([1], [1, 2])).toThrow(RangeError)
  })

  it('states the spread in percent of the median', () => {
    expect(spreadPercent([90, 100, 107])).toBe(17)
  })
})

describe('shuffled', () => {
  it('keeps every item and gives the same order for the same seed', () => {
    const items = ['a', 'b', 'c', 'd', 'e']
    const first = shuffled(items, createSeededRandom(3))
    expect(first.toSorted()).toEqual(items)
    expect(shuffled(items, createSeededRandom(3))).toEqual(first)
  })

  it('puts each item first equally often', () => {
    const random = createSeededRandom(9)
    const firsts = { a: 0, b: 0, c: 0 }
    for (let draw = 0; draw < 3000; draw++) {
      const [first] = shuffled(['a', 'b', 'c'] as const, random)
      if (first) firsts[first]++
    }
    for (const count of Object.values(firsts)) expect(Math.abs(count - 1000)).toBeLessThan(100)
  })
})
