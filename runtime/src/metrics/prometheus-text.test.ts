import { expect, it } from 'vitest'
import { callFamilies } from './call-families.ts'
import { bucketBoundsMs } from './duration-histogram.ts'
import type { MetricFamily } from './metric-family.ts'
import { createMetricsRegistry } from './metrics-registry.ts'
import { toPrometheusName, toPrometheusText } from './prometheus-text.ts'

it.each<[MetricFamily['name'], MetricFamily['unit'], MetricFamily['type'], string]>([
  ['faas.invocations', '{invocation}', 'counter', 'faas_invocations_total'],
  ['faas.invoke_duration', 's', 'histogram', 'faas_invoke_duration_seconds'],
  ['needle.event_loop.time', 's', 'counter', 'needle_event_loop_time_seconds_total'],
  ['needle.load.heap', 'By', 'gauge', 'needle_load_heap_bytes'],
  ['needle.canary.weight', '%', 'gauge', 'needle_canary_weight_percent'],
])('spells %s in %s, a %s, as %s', (name, unit, type, spelled) => {
  expect(toPrometheusName({ name, unit, type })).toBe(spelled)
})

it('writes cumulative buckets in seconds', () => {
  const registry = createMetricsRegistry()
  const metrics = registry.forRevision('shop/card', 'shop/card@0123456789ab')
  const success = { errorCode: null, functionFault: false }
  for (const durationMs of [0.5, 3, 20_000]) metrics.record(success, durationMs)
  const lines = toPrometheusText(callFamilies(registry)).split('\n')
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
  expect(
    lines.filter((line) => line.startsWith('faas_invoke_duration_seconds_bucket')),
  ).toHaveLength(bucketBoundsMs.length + 1)
})

it('escapes what a label may hold and leaves empty families out', () => {
  expect(
    toPrometheusText([
      { name: 'empty', unit: '{x}', help: '', type: 'gauge', samples: [] },
      {
        name: 'one',
        unit: '{x}',
        help: 'a\\b\nc',
        type: 'counter',
        samples: [{ attributes: { 'error.type': 'say "hi"\\\n' }, value: 1 }],
      },
    ]),
  ).toBe(
    '# HELP one_total a\\\\b\\nc\n# TYPE one_total counter\none_total{error_type="say \\"hi\\"\\\\\\n"} 1\n',
  )
})
