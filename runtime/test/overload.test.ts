import { afterEach, expect, it } from 'vitest'
import type { RuntimeEvent } from '../src/index.ts'
import { createRuntime, type Runtime } from '../src/runtime.ts'
import { createTestEnvironment, silentLog } from './support/test-environment.ts'

const opened: Runtime[] = []
afterEach(async () => {
  for (const runtime of opened.splice(0)) await runtime.close()
})

it('turns the heaviest function away while the event loop cannot keep up, and nobody else', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({
    heavy: await bucket.release(
      'shop/heavy',
      'async () => { const end = Date.now() + 60; while (Date.now() < end); return {} }',
    ),
    light: await bucket.release('shop/light', 'async () => ({})'),
  })
  const events: RuntimeEvent[] = []
  const runtime = createRuntime({
    source: { store: bucket.store },
    groups: ['shop'],
    trust: bucket.trust.rootBytes,
    log: silentLog,
    report: false,
    watchdog: false,
    probationCalls: 0,
    maxLoopDelayMs: 60,
    onEvent: (event) => events.push(event),
  })
  opened.push(runtime)
  await runtime.start()

  const over = new AbortController()
  const codes = { heavy: new Map<string | null, number>(), light: new Map<string | null, number>() }
  const callAlways = async (name: keyof typeof codes): Promise<void> => {
    const base = { requestId: 'r1', method: 'GET', headers: {}, body: null, caller: {} }
    while (!over.signal.aborted) {
      const { errorCode } = await runtime.handle({ ...base, url: `/shop/${name}` })
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
  expect([...codes.light.keys()]).toEqual([null])
  expect(events.find(({ type }) => type === 'shed')).toMatchObject({
    function: 'shop/heavy',
    share: expect.any(Number),
  })
}, 60_000)
