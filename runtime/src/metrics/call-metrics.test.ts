import { expect, it } from 'vitest'
import { CallMetrics, otherErrorCodes } from './call-metrics.ts'
import { DurationHistogram } from './duration-histogram.ts'
import { createMetricsRegistry } from './metrics-registry.ts'

const success = { errorCode: null, functionFault: false }

it.each([
  [0, 0],
  [1, 0],
  [1.01, 1],
  [10_000, 15],
  [10_001, 16],
  [Infinity, 16],
])('counts %d ms in bucket %d', (durationMs, bucket) => {
  const histogram = new DurationHistogram()
  histogram.record(durationMs)
  expect([...histogram.counts].indexOf(1)).toBe(bucket)
})

it('keeps callers apart from the faults of the function', () => {
  const metrics = new CallMetrics()
  metrics.record(success, 1)
  metrics.record({ errorCode: 'NO_CARD', functionFault: false }, 1)
  metrics.record({ errorCode: 'FUNCTION_FAILED', functionFault: true }, 1)
  expect(metrics).toMatchObject({ calls: 3, successes: 2, faults: 1 })
  expect([...metrics.errors]).toEqual([
    ['NO_CARD', 1],
    ['FUNCTION_FAILED', 1],
  ])
})

it('counts what breaks off later as a success first, so that no counter falls', () => {
  const metrics = new CallMetrics()
  metrics.record(success, 1)
  metrics.recordLateFault('FUNCTION_FAILED')
  metrics.record({ errorCode: 'FUNCTION_FAILED', functionFault: true }, 1)
  expect(metrics).toMatchObject({ calls: 2, successes: 1, faults: 2 })
})

it('counts error codes past the 32nd together', () => {
  const metrics = new CallMetrics()
  for (let code = 0; code < 40; code++) {
    metrics.record({ errorCode: `CODE_${code}`, functionFault: false }, 1)
  }
  expect(metrics.errors.size).toBe(33)
  expect(metrics.errors.get(otherErrorCodes)).toBe(8)
})

it('counts an error code too long for a label with the others', () => {
  const metrics = new CallMetrics()
  metrics.record({ errorCode: 'X'.repeat(65), functionFault: false }, 1)
  expect([...metrics.errors]).toEqual([[otherErrorCodes, 1]])
})

it('goes on counting when a revision is loaded again, and forgets the fifth oldest', () => {
  const registry = createMetricsRegistry()
  const names = (): string[] => [...registry.series()].map(({ revision }) => revision)
  for (const revision of ['a', 'b', 'c', 'd']) registry.forRevision('shop/card', revision)
  registry.forRevision('shop/card', 'a').record(success, 1)
  expect(registry.forRevision('shop/card', 'a').calls).toBe(1)
  registry.forRevision('shop/card', 'e')
  expect(names()).toEqual(['c', 'd', 'a', 'e'])
  registry.forRevision('shop/quote', 'q')
  expect(names()).toEqual(['c', 'd', 'a', 'e', 'q'])
})

it('times the first 16 calls for themselves, then one in 16 for all of them', () => {
  const metrics = new CallMetrics()
  const timedFor = Array.from({ length: 48 }, () => metrics.begin())
  expect(timedFor.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 1))
  expect(timedFor.slice(16).filter((calls) => calls > 0)).toEqual([16, 16])
  metrics.recordLoopTime(0.5, 16)
  expect(metrics.loopMs).toBe(8)
})

it('times each of the next 16 calls after a heavy one', () => {
  const metrics = new CallMetrics()
  for (let call = 0; call < 16; call += 1) metrics.begin()
  metrics.recordLoopTime(0.9, 1)
  expect(metrics.begin()).toBe(0)
  metrics.recordLoopTime(1, 1)
  const timedFor = Array.from({ length: 31 }, () => metrics.begin())
  expect(timedFor.slice(0, 16)).toEqual(Array.from({ length: 16 }, () => 1))
  expect(timedFor.slice(16).filter((calls) => calls > 0)).toEqual([16])
})
