import { describe, expect, it } from 'vitest'
import { recordSpans } from '../src/function/testing/record-spans.ts'
import type { RuntimeEvent } from '../src/index.ts'
import { type Collected, startSdk } from '../src/metrics/testing/start-sdk.ts'
import { call } from './support/call.ts'
import { exportedLines, writtenLines } from './support/metric-lines.ts'
import { withCanary } from './support/start-rollout.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const exporter = recordSpans()

const card = `async (input) => {
  if (input.fail) throw new Error('no')
  const end = performance.now() + 3
  while (performance.now() < end);
  return { v: 1 }
}`

async function publishCard() {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card, quote: 'async () => 1' })
  return bucket
}

/** By name and code of the error, of `shop/card`. */
const valueOf = (
  collected: ReadonlyMap<string, Collected>,
  name: string,
  code?: string,
): number | undefined =>
  collected
    .get(name)
    ?.points.find(
      ({ attributes }) =>
        attributes['faas.name'] === 'shop/card' && attributes['error.type'] === code,
    )?.value

const hits = (collected: ReadonlyMap<string, Collected>, name: string): number | undefined =>
  collected
    .get(name)
    ?.points.find(({ attributes }) => attributes['faas.name'] === 'shop/card')
    ?.buckets?.counts.reduce((sum, count) => sum + count, 0)

describe('a host with an OpenTelemetry SDK', () => {
  it('is told of calls, errors by code, durations, time of the event loop and heap', async () => {
    const sdk = startSdk()
    const bucket = await publishCard()
    const runtime = await startRuntime(bucket)
    for (let made = 0; made < 16; made += 1) await call(runtime)
    await call(runtime, '/shop/card?fail=1')
    const collected = await sdk.collect()
    expect(valueOf(collected, 'faas.invocations')).toBe(16)
    expect(valueOf(collected, 'faas.errors')).toBe(1)
    expect(valueOf(collected, 'needle.call.errors', 'FUNCTION_FAILED')).toBe(1)
    expect(hits(collected, 'faas.invoke_duration')).toBe(17)
    // Each of the 16 took 3 ms; a busy machine only adds to it. One of them was timed for all.
    expect(valueOf(collected, 'faas.invoke_duration')).toBeGreaterThanOrEqual(0.045)
    expect(valueOf(collected, 'needle.event_loop.time')).toBeGreaterThanOrEqual(0.045)
    expect(hits(collected, 'faas.init_duration')).toBe(1)
    expect(valueOf(collected, 'faas.init_duration')).toBeGreaterThan(0)
    expect(valueOf(collected, 'needle.load.heap')).toEqual(expect.any(Number))
    expect(collected.get('needle.ready')?.points).toMatchObject([
      { attributes: { 'needle.environment': 'production' }, value: 1 },
    ])
  })

  it('is told exactly what the Prometheus text says', async () => {
    const sdk = startSdk()
    const bucket = await createTestEnvironment()
    const stable = await bucket.release('shop/card', card)
    await bucket.publish({ card: stable })
    const runtime = await startRuntime(bucket, { source: { pollIntervalMs: 60_000 }, loadAhead: 0 })
    await call(runtime)
    await call(runtime, '/shop/card?fail=1')
    runtime.dispatcher.refuseBody('shop/card', 1)
    const canary = await bucket.release('shop/card', 'async () => ({ v: 2 })')
    await bucket.publish({ card: withCanary(stable, canary) })
    await runtime.refresh()
    await expect
      .poll(() => runtime.metrics())
      .toContain('needle_canary_weight_percent{faas_name="shop/card"} 20')
    // Both sides: the SDK leaves a histogram out in which nothing was recorded.
    for (let user = 0; user < 40; user += 1) {
      await call(runtime, '/shop/card', { headers: { 'x-needle-key': `user-${user}` } })
    }

    const exported = exportedLines(await sdk.collect())
    const written = writtenLines(runtime.metrics())
    // How late the event loop runs changes from one look to the next.
    for (const lines of [exported, written]) lines.set('needle_event_loop_delay_seconds', 0)
    expect(Object.fromEntries(exported)).toEqual(
      Object.fromEntries([...written].map(([line, value]) => [line, expect.closeTo(value, 6)])),
    )
  })

  it('finds what a call left behind by the trace of the call', async () => {
    const told: RuntimeEvent[] = []
    const bucket = await createTestEnvironment()
    await bucket.publish({
      card: `async () => { setTimeout(() => { throw new Error('left') }, 5); return {} }`,
    })
    const runtime = await startRuntime(bucket, { onEvent: (event) => told.push(event) })
    await call(runtime)
    const strays = () => told.filter(({ type }) => type === 'strayFailure')
    await expect.poll(strays).toHaveLength(1)
    const [span] = exporter.getFinishedSpans()
    expect(strays()).toMatchObject([{ traceId: span?.spanContext().traceId }])
    expect(span?.spanContext().traceId).toMatch(/^[0-9a-f]{32}$/)
  })

  it('may set it up while the runtime already serves', async () => {
    const bucket = await publishCard()
    const runtime = await startRuntime(bucket)
    await call(runtime)
    const sdk = startSdk()
    await runtime.refresh()
    await call(runtime)
    const collected = await sdk.collect()
    expect(valueOf(collected, 'faas.invocations')).toBe(2)
    expect(hits(collected, 'faas.invoke_duration')).toBe(1)
  })

  it('may set it up before a function is loaded, of which it is told, too', async () => {
    const bucket = await publishCard()
    const runtime = await startRuntime(bucket, { loadAhead: 0 })
    const sdk = startSdk()
    await call(runtime)
    const collected = await sdk.collect()
    expect(hits(collected, 'faas.init_duration')).toBe(1)
    expect(hits(collected, 'faas.invoke_duration')).toBe(1)
  })

  it('may flush it after the runtime was closed, and hears nothing of that one from then on', async () => {
    const sdk = startSdk()
    const bucket = await publishCard()
    const runtime = await startRuntime(bucket)
    await sdk.collect()
    await call(runtime)
    await runtime.close()
    expect(valueOf(await sdk.collect(), 'faas.invocations')).toBe(1)
    expect(await call(runtime)).toMatchObject({ status: 503 })
    const collected = await sdk.collect()
    expect([...collected.keys()]).not.toContain('needle.calls.turned_away')
    expect(runtime.metrics()).toContain('needle_calls_turned_away_total')
  })

  it('sees two runtimes of a process apart, though both serve the same', async () => {
    const sdk = startSdk()
    const bucket = await publishCard()
    const [first, second] = [await startRuntime(bucket), await startRuntime(bucket)]
    for (const runtime of [first, second, second]) await call(runtime)
    const counted = async () =>
      (await sdk.collect())
        .get('faas.invocations')
        ?.points.filter(({ attributes }) => attributes['faas.name'] === 'shop/card')
        .map(({ value }) => value)
    expect(await counted()).toEqual([1, 2])
    await first.close()
    await call(second)
    expect(await counted()).toEqual([1, 3])
  })
})

it('counts the calls that had to wait for a function to be loaded, and tells so in their spans', async () => {
  const bucket = await publishCard()
  const runtime = await startRuntime(bucket, { loadAhead: 0 })
  await Promise.all([call(runtime), call(runtime)])
  await call(runtime)
  const spans = exporter.getFinishedSpans()
  expect(spans.map(({ attributes }) => attributes['faas.coldstart'])).toEqual([
    true,
    true,
    undefined,
  ])
  expect(runtime.metrics()).toMatch(/^faas_coldstarts_total\{faas_name="shop\/card",.*\} 2$/m)
})
