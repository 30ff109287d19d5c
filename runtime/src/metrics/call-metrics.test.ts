import { expect, it } from 'vitest'
import { callFamilies } from './call-families.ts'
import { CallMetrics, otherErrorCodes } from './call-metrics.ts'
import { bucketBoundsMs, DurationHistogram } from './duration-histogram.ts'
import { createMetricsRegistry } from './metrics-registry.ts'
import { toPrometheusText } from './prometheus-text.ts'

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
  expect(metrics).toMatchObject({ calls: 3, faults: 1 })
  expect([...metrics.errors]).toEqual([
    ['NO_CARD', 1],
    ['FUNCTION_FAILED', 1],
  ])
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

it('writes cumulative buckets in seconds', () => {
  const registry = createMetricsRegistry()
  const metrics = registry.forRevision('shop/card', 'shop/card@0123456789ab')
  for (const durationMs of [0.5, 3, 20_000]) metrics.record(success, durationMs)
  const lines = toPrometheusText(callFamilies(registry.series())).split('\n')
  const labels = 'faas_name="shop/card",faas_version="0123456789ab"'
  expect(lines).toEqual(
    expect.arrayContaining([
      '# TYPE faas_invoke_duration_seconds histogram',
      `faas_invocations_total{${labels}} 3`,
      `faas_invoke_duration_seconds_bucket{${labels},le="0.001"} 1`,
      `faas_invoke_duration_seconds_bucket{${labels},le="0.005"} 2`,
      `faas_invoke_duration_seconds_bucket{${labels},le="+Inf"} 3`,
      `faas_invoke_duration_seconds_sum{${labels}} 20.0035`,
      `faas_invoke_duration_seconds_count{${labels}} 3`,
    ]),
  )
  expect(lines.filter((line) => line.includes('_bucket'))).toHaveLength(bucketBoundsMs.length + 1)
})

it('escapes what a label may hold and leaves empty families out', () => {
  expect(
    toPrometheusText([
      { name: 'empty', help: '', type: 'gauge', samples: [] },
      {
        name: 'one',
        help: 'a\\b\nc',
        type: 'counter',
        samples: [{ labels: { code: 'say "hi"\\\n' }, value: 1 }],
      },
    ]),
  ).toBe('# HELP one a\\\\b\\nc\n# TYPE one counter\none{code="say \\"hi\\"\\\\\\n"} 1\n')
})

it('times one call in 16 and lets it count for all of them', () => {
  const metrics = new CallMetrics()
  const timed = Array.from({ length: 32 }, () => metrics.begin())
  expect(timed.flatMap((isTimed, at) => (isTimed ? [at] : []))).toEqual([0, 16])
  metrics.recordLoopTime(2)
  expect(metrics.loopMs).toBe(32)
})
