import { expect, it } from 'vitest'
import { type AnalysisLimits, defaultAnalysisLimits } from '../src/manifest/analysis-limits.ts'
import type { FunctionState } from '../src/manifest/group-document.ts'
import type { Settings } from '../src/manifest/settings.ts'
import { testFunctionState, testRollout, testStop } from '../src/manifest/testing/test-documents.ts'
import type { RuntimeEvent } from '../src/index.ts'
import type { RuntimeOptions } from '../src/runtime-options.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createManualClock } from './support/manual-clock.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const probeIntervalMs = 30_000
const probes = [{ query: { id: 'p-1' } }, { query: { id: 'p-2' }, expectStatus: 404 }]
/** Says what it was called with where the test can see it. */
const echoes = (name: string) => `async (input, { request, services, caller }) => {
  services.seen.push({ by: '${name}', input, url: request.url, id: request.id,
    mark: request.headers['x-needle-probe'], caller })
  return { id: input.id }
}`
const fails = 'async () => { throw new Error("bad") }'

interface Setting {
  /** Default: echoes. */
  readonly canary?: string
  readonly settings?: Partial<Settings>
  readonly analysis?: Partial<AnalysisLimits>
  readonly weightPercent?: number
  readonly options?: Partial<RuntimeOptions>
}

async function start(setting: Setting = {}) {
  const { weightPercent = 0, options, analysis } = setting
  const bucket = await createTestEnvironment()
  const settings = {
    uses: ['seen'],
    idempotent: true,
    probes: probes.slice(0, 1),
    ...setting.settings,
  }
  const stable = await bucket.release('shop/card', echoes('stable'), { settings })
  const canary = await bucket.release('shop/card', setting.canary ?? echoes('canary'), { settings })
  const publish = ({ weight = weightPercent, ...state }: Partial<Published> = {}) => {
    const limits = { ...defaultAnalysisLimits, ...analysis }
    const rollout = testRollout(canary, { weightPercent: weight, analysis: limits })
    return bucket.publish({ card: testFunctionState(stable, { rollout, ...state }) })
  }
  await publish()
  const clock = createManualClock()
  const events: RuntimeEvent[] = []
  const seen: unknown[] = []
  const services: object = { seen: { push: (call: unknown) => void seen.push(call) } }
  const runtime = await startRuntime(bucket, {
    watchdog: false,
    maxLoopDelayMs: false,
    probationCalls: 0,
    clock,
    services,
    onEvent: (event) => events.push(event),
    ...options,
  })
  const status = () => runtime.status().functions[0]
  /** Lets the time of the next probe come. */
  const pass = () => clock.advance(1.25 * probeIntervalMs)
  return {
    runtime,
    status,
    seen,
    publish: async (state: Partial<Published>) => {
      await publish(state)
      await runtime.refresh()
    },
    told: (type: RuntimeEvent['type']) => events.filter((event) => event.type === type),
    pass,
    /** Time for five probes, whether they are made or not. */
    passMany: async () => {
      for (let round = 0; round < 5; round++) {
        pass()
        await runtime.refresh()
      }
    },
    /** The next probe and what it led to. */
    probe: async () => {
      const before = status()?.probe?.at
      pass()
      await expect.poll(() => status()?.probe?.at, { interval: 2 }).not.toBe(before)
    },
  }
}

interface Published extends FunctionState {
  readonly weight: number
}

it('calls a canary that nobody calls, and stable after it, with what its author declared', async () => {
  const { seen, status, probe } = await start()
  expect(status()?.probe).toBeNull()
  await probe()
  const call = { input: { id: 'p-1' }, url: '/shop/card?id=p-1', mark: '1', caller: {} }
  expect(seen).toMatchObject([
    { by: 'canary', id: expect.stringMatching(/^probe-/), ...call },
    { by: 'stable', id: expect.stringMatching(/^probe-/), ...call },
  ])
  expect(status()).toMatchObject({
    probe: { probe: 0, canary: { status: 200, isGood: true }, stable: { status: 200 } },
    rollout: {
      measured: {
        canary: { calls: 0, faults: 0, probes: { calls: 1, faults: 0 } },
        stable: { calls: 0, faults: 0, probes: { calls: 1, faults: 0 } },
      },
      trip: null,
    },
  })
})

it('stops a canary that fails at its probes, where no user ever met it', async () => {
  const { status, probe, told } = await start({ canary: fails })
  for (let round = 0; round < 20 && status()?.canary !== null; round++) await probe()
  expect(status()).toMatchObject({
    canary: null,
    probe: { canary: { status: 500, errorCode: 'FUNCTION_FAILED', isGood: false } },
    rollout: { measured: { canary: { calls: 0 } }, trip: { cause: 'errors' } },
  })
  expect(told('canaryTripped')).toHaveLength(1)
})

it('takes a probe both sides fail at for nobody’s fault, and each in turn', async () => {
  const { status, probe } = await start({
    settings: { probes },
  })
  for (let round = 0; round < 40; round++) await probe()
  expect(status()).toMatchObject({
    probe: { probe: 1, canary: { status: 200, isGood: false }, stable: { isGood: false } },
    rollout: {
      measured: {
        canary: { probes: { calls: 40, faults: 20 } },
        stable: { probes: { calls: 40, faults: 20 } },
      },
      trip: null,
    },
  })
})

it('leaves a canary alone that users call enough', async () => {
  const { seen, passMany, runtime, status } = await start({
    weightPercent: 100,
    analysis: { minimumCalls: 3 },
  })
  for (let made = 0; made < 3; made++) await call(runtime, '/shop/card?id=user')
  await passMany()
  expect(seen).toHaveLength(3)
  expect(status()?.probe).toBeNull()
})

it('makes no more probes than a step needs, and begins anew with the next', async () => {
  const { seen, passMany, probe, publish, status } = await start({
    analysis: { minimumCalls: 2 },
  })
  for (const [weight, pairs] of [
    [0, 2],
    [1, 4],
  ] as const) {
    await publish({ weight })
    await probe()
    await probe()
    await passMany()
    expect(seen).toHaveLength(2 * pairs)
  }
  expect(status()?.rollout?.measured.canary).toMatchObject({ calls: 0, probes: { calls: 4 } })
})

it.each([
  ['a function that declares none', { settings: { probes: [] } }],
  ['a function that must not be called twice', { settings: { idempotent: false } }],
  ['anybody where the host wants none', { options: { probeIntervalMs: false } }],
] as const)('does not call %s', async (_title, setting) => {
  const { seen, passMany } = await start(setting)
  await passMany()
  expect(seen).toEqual([])
})

it('does not call a stopped function', async () => {
  const { seen, passMany, publish, probe } = await start()
  await publish({ hold: testStop })
  await passMany()
  expect(seen).toEqual([])
  await publish({})
  await probe()
  expect(seen).toHaveLength(2)
})

it('waits while the event loop cannot keep up', async () => {
  const { seen, pass, runtime, probe } = await start({
    options: { maxLoopDelayMs: 60 },
  })
  const delayMs = () => runtime.status().overload.delayMs ?? 0
  // The host's own doing: nobody is turned away for it.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000)
  await expect.poll(delayMs).toBeGreaterThan(30)
  pass()
  await runtime.refresh()
  expect(seen).toEqual([])
  await expect.poll(delayMs, { timeout: 30_000 }).toBeLessThan(30)
  await probe()
  expect(seen).toHaveLength(2)
})

it('goes on when a probe cannot be made', async () => {
  const { runtime, pass, probe, seen } = await start({
    settings: {
      http: { method: 'GET', path: '/shop/card/:id' },
      // A half of a character, which no URL can carry.
      probes: [{ params: { id: '\ud800' } }, { params: { id: 'p-1' } }],
    },
  })
  pass()
  await runtime.refresh()
  await probe()
  expect(seen).toMatchObject([
    { by: 'canary', url: '/shop/card/p-1' },
    { by: 'stable', url: '/shop/card/p-1' },
  ])
})

it('makes one probe at a time, and ends it when the runtime is closed', async () => {
  const hangs = `async (input, { services, signal }) => {
    services.seen.push({ by: 'canary' })
    return new Promise(() => undefined)
  }`
  const { seen, pass, passMany, runtime } = await start({
    canary: hangs,
    settings: { timeoutMs: 60_000 },
  })
  pass()
  await expect.poll(() => seen.length).toBe(1)
  await passMany()
  expect(seen).toHaveLength(1)
  await runtime.close()
  expect(seen).toHaveLength(1)
})
