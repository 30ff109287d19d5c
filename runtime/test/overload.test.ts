import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { RuntimeEvent } from '../src/index.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const burning = 'const end = Date.now() + 60; while (Date.now() < end); return {}'
const answered = 'await services.store.read();'

it.each([
  ['at once', `async () => { ${burning} }`],
  ['after a service has answered', `async (_, { services }) => { ${answered} ${burning} }`],
])(
  'turns away whoever computes most, %s, and nobody else',
  async (_, heavy) => {
    const bucket = await createTestEnvironment()
    const light = `async (_, { services }) => { ${answered} return {} }`
    const settings = { uses: ['store'] }
    await bucket.publish({
      heavy: await bucket.release('shop/heavy', heavy, { settings }),
      light: await bucket.release('shop/light', light, { settings }),
    })
    const services: object = { store: { read: () => setTimeout(1) } }
    const events: RuntimeEvent[] = []
    const runtime = await startRuntime(bucket, {
      watchdog: false,
      probationCalls: 0,
      services,
      maxLoopDelayMs: 60,
      onEvent: (event) => events.push(event),
    })

    const over = new AbortController()
    const codes = {
      heavy: new Map<string | null, number>(),
      light: new Map<string | null, number>(),
    }
    const retryAfter = new Set<unknown>()
    const callAlways = async (name: keyof typeof codes): Promise<void> => {
      while (!over.signal.aborted) {
        const { errorCode, headers } = await call(runtime, `/shop/${name}`)
        if (errorCode === 'FUNCTION_SHED') retryAfter.add(headers['retry-after'])
        codes[name].set(errorCode, (codes[name].get(errorCode) ?? 0) + 1)
        await setTimeout(5)
      }
    }
    const load = [...Array.from({ length: 8 }, () => callAlways('heavy')), callAlways('light')]
    await expect
      .poll(() => runtime.status().overload, { timeout: 20_000 })
      .toMatchObject({ limitMs: 60, shed: ['shop/heavy'] })
    expect(runtime.metrics()).toContain('needle_functions_shed 1')
    // Room again, since nobody computes: it is let in again, and the game begins anew.
    await expect
      .poll(() => events.map(({ type }) => type), { timeout: 20_000 })
      .toContain('restored')
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
  },
  60_000,
)
