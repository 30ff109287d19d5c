import { expect, it } from 'vitest'
import type { RuntimeEvent } from '../src/index.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

it('turns the heaviest function away while the event loop cannot keep up, and nobody else', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({
    heavy: 'async () => { const end = Date.now() + 60; while (Date.now() < end); return {} }',
    light: 'async () => ({})',
  })
  const events: RuntimeEvent[] = []
  const runtime = await startRuntime(bucket, {
    watchdog: false,
    probationCalls: 0,
    maxLoopDelayMs: 60,
    onEvent: (event) => events.push(event),
  })

  const over = new AbortController()
  const codes = { heavy: new Map<string | null, number>(), light: new Map<string | null, number>() }
  const retryAfter = new Set<unknown>()
  const callAlways = async (name: keyof typeof codes): Promise<void> => {
    while (!over.signal.aborted) {
      const { errorCode, headers } = await call(runtime, `/shop/${name}`)
      if (errorCode === 'FUNCTION_SHED') retryAfter.add(headers['retry-after'])
      codes[name].set(errorCode, (codes[name].get(errorCode) ?? 0) + 1)
      await new Promise((resolve) => setTimeout(resolve, 5))
    }
  }
  const load = [...Array.from({ length: 8 }, () => callAlways('heavy')), callAlways('light')]
  await expect
    .poll(() => runtime.status().overload, { timeout: 20_000 })
    .toMatchObject({ limitMs: 60, shed: ['shop/heavy'] })
  expect(runtime.metrics()).toContain('needle_functions_shed 1')
  // Room again, since nobody computes: it is let in again, and the game begins anew.
  await expect.poll(() => events.map(({ type }) => type), { timeout: 20_000 }).toContain('restored')
  over.abort()
  await Promise.all(load)

  expect(codes.heavy.get('FUNCTION_SHED')).toBeGreaterThan(0)
  expect([...retryAfter]).toEqual(['1'])
  expect([...codes.light.keys()]).toEqual([null])
  expect(runtime.metrics()).toContain(
    `needle_calls_turned_away_total{faas_name="shop/heavy",error_type="FUNCTION_SHED"} ${codes.heavy.get('FUNCTION_SHED')}\n`,
  )
  expect(events.find(({ type }) => type === 'shed')).toMatchObject({
    function: 'shop/heavy',
    share: expect.any(Number),
  })
}, 60_000)
