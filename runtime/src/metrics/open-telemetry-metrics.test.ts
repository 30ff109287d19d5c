import { metrics } from '@opentelemetry/api'
import { expect, it, vi } from 'vitest'
import { bucketBoundsMs } from './duration-histogram.ts'
import { createMetricsRegistry } from './metrics-registry.ts'
import { createOpenTelemetryMetrics } from './open-telemetry-metrics.ts'
import { type Collected, startSdk } from './testing/start-sdk.ts'

const success = { errorCode: null, functionFault: false }

function start(instance = 'a') {
  const registry = createMetricsRegistry()
  const exported = createOpenTelemetryMetrics({
    registry,
    statusFamilies: () => [
      {
        name: 'needle.ready',
        unit: '{instance}',
        help: '',
        type: 'gauge',
        samples: [{ attributes: {}, value: 1 }],
      },
    ],
    identity: { 'faas.instance': instance },
  })
  return { registry, exported, card: registry.forRevision('shop/card', 'shop/card@0123') }
}

const ofCard = {
  'faas.name': 'shop/card',
  'faas.version': '0123',
  'faas.trigger': 'http',
  'faas.instance': 'a',
}

const values = (collected: Collected | undefined): number[] =>
  (collected?.points ?? []).map(({ value }) => value)
const hits = (collected: Collected | undefined): number =>
  (collected?.points ?? [])
    .flatMap(({ buckets }) => buckets?.counts ?? [])
    .reduce((sum, count) => sum + count, 0)

it('names, measures and attributes what it tells as the conventions have it', async () => {
  const sdk = startSdk()
  const { exported, card, registry } = start()
  exported.look()
  card.record(success, 3)
  card.record({ errorCode: 'FUNCTION_TIMEOUT', functionFault: true }, 800)
  card.record({ errorCode: 'NO_CARD', functionFault: false }, 2)
  card.recordLoad({ durationMs: 7, heapBytes: 4096 })
  card.recordLoopTime(1, 16)
  card.coldStarts += 1
  card.strayFaults += 1
  registry.turnAway('shop/card', 'FUNCTION_SHED')

  const collected = await sdk.collect()
  const told = Object.fromEntries(
    [...collected.values()].map(({ name, kind, unit, points }) => [
      name,
      [kind, unit, ...points.map(({ attributes, value }) => [attributes, value])],
    ]),
  )
  const byCode = (code: string) => ({ ...ofCard, 'error.type': code })
  const { 'faas.version': _, ...ofNoRevision } = byCode('FUNCTION_SHED')
  expect(told).toEqual({
    'faas.invocations': ['counter', '{invocation}', [ofCard, 2]],
    'faas.errors': ['counter', '{error}', [ofCard, 1]],
    'faas.timeouts': ['counter', '{timeout}', [ofCard, 1]],
    'faas.coldstarts': ['counter', '{coldstart}', [ofCard, 1]],
    'faas.invoke_duration': ['histogram', 's', [ofCard, expect.closeTo(0.805)]],
    'faas.init_duration': ['histogram', 's', [ofCard, expect.closeTo(0.007)]],
    'needle.call.errors': [
      'counter',
      '{error}',
      [byCode('FUNCTION_TIMEOUT'), 1],
      [byCode('NO_CARD'), 1],
    ],
    'needle.calls.turned_away': ['counter', '{call}', [ofNoRevision, 1]],
    'needle.stray_failures': ['counter', '{failure}', [ofCard, 1]],
    'needle.event_loop.time': ['counter', 's', [ofCard, 0.016]],
    'needle.load.heap': ['gauge', 'By', [ofCard, 4096]],
    'needle.ready': ['gauge', '{instance}', [{ 'faas.instance': 'a' }, 1]],
  })
  const [durations] = collected.get('faas.invoke_duration')?.points ?? []
  expect(durations?.buckets).toEqual({
    bounds: bucketBoundsMs.map((boundMs) => boundMs / 1000),
    counts: [...card.durations.counts],
  })
})

it('records the calls of revisions that come later', async () => {
  const sdk = startSdk()
  const { exported, registry } = start()
  exported.look()
  registry.forRevision('shop/quote', 'shop/quote@4567').record(success, 1)
  expect((await sdk.collect()).get('faas.invoke_duration')?.points).toMatchObject([
    { attributes: { 'faas.name': 'shop/quote' } },
  ])
})

it('leaves calls alone while nobody has brought an SDK', () => {
  metrics.disable()
  const { exported, card } = start()
  exported.look()
  expect([card.durations.mirror, card.loads.mirror]).toEqual([null, null])
})

it('finds an SDK that comes late, which learns of all counts and of durations from then on', async () => {
  const { exported, card } = start()
  exported.look()
  card.record(success, 1)
  const sdk = startSdk()
  exported.look()
  exported.look()
  card.record(success, 1)
  const collected = await sdk.collect()
  expect(values(collected.get('faas.invocations'))).toEqual([2])
  expect(hits(collected.get('faas.invoke_duration'))).toBe(1)
})

it('makes its instruments once for a provider, and anew for another, the old one being told no more', async () => {
  const old = startSdk()
  const make = vi.spyOn(old.provider, 'getMeter')
  const { exported, card } = start()
  exported.look()
  exported.look()
  expect(make).toHaveBeenCalledTimes(1)
  card.record(success, 1)
  await old.collect()

  const next = startSdk()
  exported.look()
  card.record(success, 1)
  expect(values((await next.collect()).get('faas.invocations'))).toEqual([2])
  expect(hits((await next.collect()).get('faas.invoke_duration'))).toBe(1)
  const left = await old.collect()
  expect(values(left.get('faas.invocations'))).toEqual([1])
  expect(hits(left.get('faas.invoke_duration'))).toBe(1)
})

it('stops when the provider is taken away', async () => {
  const sdk = startSdk()
  const { exported, card } = start()
  exported.look()
  metrics.disable()
  exported.look()
  card.record(success, 1)
  expect(card.durations.mirror).toBeNull()
  expect((await sdk.collect()).size).toBe(0)
})

it('tells once more after it is closed what calls came to, and then nothing', async () => {
  const sdk = startSdk()
  const [first, second] = [start('a'), start('b')]
  first.exported.look()
  second.exported.look()
  await sdk.collect()
  first.card.record(success, 1)
  second.card.record(success, 1)
  first.exported.close()
  first.exported.look()
  const counted = async () =>
    (await sdk.collect())
      .get('faas.invocations')
      ?.points.map(({ attributes, value }) => [attributes['faas.instance'], value])
  expect(await counted()).toEqual([
    ['a', 1],
    ['b', 1],
  ])
  first.card.record(success, 1)
  second.card.record(success, 1)
  expect(await counted()).toEqual([
    ['a', 1],
    ['b', 2],
  ])
  startSdk()
  first.exported.look()
  expect(first.card.durations.mirror).toBeNull()
})

it('keeps the runtimes of a process apart', async () => {
  const sdk = startSdk()
  const [first, second] = [start('a'), start('b')]
  first.exported.look()
  second.exported.look()
  for (const durationMs of [1, 1, 1]) first.card.record(success, durationMs)
  second.card.record(success, 1)
  const collected = await sdk.collect()
  for (const name of ['faas.invocations', 'needle.ready']) {
    expect(
      collected.get(name)?.points.map(({ attributes }) => attributes['faas.instance']),
    ).toEqual(['a', 'b'])
  }
  expect(values(collected.get('faas.invocations'))).toEqual([3, 1])
  expect(
    collected.get('faas.invoke_duration')?.points.map(({ buckets }) => buckets?.counts[0]),
  ).toEqual([3, 1])
})
