import { describe, expect, it } from 'vitest'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import { call } from './support/call.ts'
import { get, startRollout, withCanary } from './support/start-rollout.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

/** Handlers that say who they are and end when the test says so. */
const waiting = (by: string) =>
  `async (input, { services }) => ({ by: await services.gate.enter('${by}') })`

/** Others that go on by themselves. */
const entering = (by: string, then: string) =>
  `async (input, { services }) => { await services.gate.enter('${by}'); ${then} }`

function createGate() {
  const entered: { by: string; leave: () => void }[] = []
  let inside = 0
  let most = 0
  const enter = async (by: string): Promise<string> => {
    most = Math.max(most, (inside += 1))
    await new Promise<void>((leave) => {
      entered.push({ by, leave })
    })
    inside -= 1
    return by
  }
  return {
    entered,
    services: { gate: { enter } } as object,
    most: () => most,
    /** Resolves when so many have entered. */
    reached: (count: number) => expect.poll(() => entered.length, { interval: 2 }).toBe(count),
  }
}

/** A release with a call in flight that has just been replaced. */
async function swapUnderCall(maxQueue: number, { drainTimeoutMs = 5000, warmPrevious = 0 } = {}) {
  const bucket = await createTestEnvironment()
  const settings = { uses: ['gate'], maxConcurrency: 1, maxQueue, timeoutMs: 60_000 }
  const before = await bucket.release('shop/card', waiting('before'), { settings })
  const after = await bucket.release('shop/card', waiting('after'), { settings })
  const gate = createGate()
  await bucket.publish({ card: before })
  const { services } = gate
  const runtime = await startRuntime(bucket, { services, drainTimeoutMs, warmPrevious })
  const slow = call(runtime)
  await gate.reached(1)
  await bucket.publish({ card: testFunctionState(after, { previous: [before] }) })
  await runtime.refresh()
  return { runtime, gate, slow }
}

const busy = {
  status: 503,
  errorCode: 'FUNCTION_BUSY',
  headers: { 'retry-after': '1' },
}

describe('a call in flight of a release that was replaced', () => {
  it.each([
    ['drains', 0],
    ['stands by', 1],
  ])('has its place until it ends, while that release %s', async (_, warmPrevious) => {
    const { runtime, gate, slow } = await swapUnderCall(0, { warmPrevious })
    expect(await call(runtime)).toMatchObject(busy)
    expect(await call(runtime)).toMatchObject(busy)
    gate.entered[0]?.leave()
    expect(await slow).toMatchObject({ status: 200, body: { by: 'before' } })
    const next = call(runtime)
    await gate.reached(2)
    gate.entered[1]?.leave()
    expect(await next).toMatchObject({ status: 200, body: { by: 'after' } })
  })

  it('lets one wait in the queue, which is served by the release that replaced it', async () => {
    const { runtime, gate, slow } = await swapUnderCall(1)
    const next = call(runtime)
    expect(await call(runtime)).toMatchObject(busy)
    expect(gate.entered).toHaveLength(1)
    gate.entered[0]?.leave()
    expect(await slow).toMatchObject({ status: 200, body: { by: 'before' } })
    await gate.reached(2)
    gate.entered[1]?.leave()
    expect(await next).toMatchObject({ status: 200, body: { by: 'after' } })
    expect(gate.most()).toBe(1)
  })

  it.each([
    ['drains', 0],
    ['stands by', 1],
  ])('gives its place up at the drain deadline of one that %s', async (_, warmPrevious) => {
    const { runtime, gate, slow } = await swapUnderCall(1, { drainTimeoutMs: 50, warmPrevious })
    const next = call(runtime)
    expect(await slow).toMatchObject({ status: 503, errorCode: 'FUNCTION_STOPPED' })
    await gate.reached(2)
    gate.entered[1]?.leave()
    expect(await next).toMatchObject({ status: 200, body: { by: 'after' } })
  })
})

describe('stable and canary', () => {
  const half = { weightPercent: 50, steps: [{ weightPercent: 50, bakeMs: 0 }] }

  /** Both in a rollout at 50 %, and many calls at once that either side gets some of. */
  async function callBoth(maxQueue: number) {
    const gate = createGate()
    const settings = { ...get, uses: ['gate'], maxConcurrency: 1, maxQueue, timeoutMs: 60_000 }
    const sources = { stable: waiting('stable'), canary: waiting('canary') }
    const { bucket, stable, canary, runtime } = await startRollout(sources, settings, {
      services: gate.services,
    })
    await bucket.publish({ card: withCanary(stable, canary, half) })
    await runtime.refresh()
    const answers = Array.from({ length: 20 }, (_, index) =>
      call(runtime, '/shop/card', { headers: { 'x-needle-key': `user-${index}` } }),
    )
    return { gate, answers }
  }

  it('have the places of one function together', async () => {
    const { gate, answers } = await callBoth(0)
    await gate.reached(1)
    gate.entered[0]?.leave()
    const statuses = (await Promise.all(answers)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 503)).toHaveLength(19)
  })

  it('have one queue, which serves both', async () => {
    const { gate, answers } = await callBoth(19)
    for (let index = 0; index < 20; index++) {
      await gate.reached(index + 1)
      gate.entered[index]?.leave()
    }
    for (const answer of answers) expect((await answer).status).toBe(200)
    expect(gate.most()).toBe(1)
    expect(new Set(gate.entered.map(({ by }) => by))).toEqual(new Set(['stable', 'canary']))
  })
})

it.each([
  ['throws', `() => { throw new Error('canary') }`],
  [
    'streams an error',
    `() => new Response(new ReadableStream({
      start: (stream) => stream.enqueue(new Uint8Array([65])),
      pull: () => new Promise((go) => setTimeout(go, 100)),
    }), { status: 500 })`,
  ],
  ['never answers', '() => new Promise(() => {})'],
])('stable answers in the one place there is for a canary that %s', async (_, canary) => {
  const settings = { ...get, maxConcurrency: 1, timeoutMs: 1000 }
  const { callMany } = await startRollout({ stable: 'async () => ({})', canary }, settings)
  const answers = await callMany(20)
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(answers.filter(({ fallback }) => fallback !== undefined)).not.toHaveLength(0)
})

it('stable answers for a canary that fails behind the calls that wait already', async () => {
  const entered: string[] = []
  let inside = 0
  let most = 0
  const enter = async (by: string): Promise<void> => {
    most = Math.max(most, (inside += 1))
    entered.push(by)
    await new Promise((go) => setTimeout(go, 1))
    inside -= 1
  }
  const sources = {
    stable: entering('stable', 'return {}'),
    canary: entering('canary', `throw new Error('canary')`),
  }
  const settings = { ...get, uses: ['gate'], maxConcurrency: 1, maxQueue: 19, timeoutMs: 20_000 }
  const services: object = { gate: { enter } }
  const { runtime } = await startRollout(sources, settings, { services })
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      call(runtime, '/shop/card', { headers: { 'x-needle-key': `user-${index}` } }),
    ),
  )
  expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
  expect(most).toBe(1)
  expect(entered.filter((by) => by === 'stable')).toHaveLength(20)
  expect(entered.indexOf('canary')).toBeGreaterThan(-1)
})
