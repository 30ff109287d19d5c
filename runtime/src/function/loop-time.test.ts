import { setTimeout as wait } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, it } from 'vitest'
import { createMetricsRegistry } from '../metrics/metrics-registry.ts'
import { chargeLoopTime, type LoopTimeRecord, stopLoopTime } from './loop-time.ts'
import { microtask } from './microtask.ts'
import { artifactOf, type LoadedFixture, loadFixture, textOf } from './testing/revision-fixture.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

const burnScript =
  'const burn = (ms) => { const end = performance.now() + ms; while (performance.now() < end); };'

/** Answers with a promise that settles in a turn of the host's own. */
const services = {
  store: {
    read: () => wait(2, { price: 7 }),
    fail: async () => {
      await wait(2)
      throw new Error('down')
    },
  },
}

async function loadBurning(
  handler: string,
  topLevel = '',
): Promise<LoadedFixture & { readonly loopMs: () => number }> {
  const registry = createMetricsRegistry()
  const loaded = await loadFixture(
    `${burnScript} ${topLevel}; ${artifactOf(`{ uses: ['store'], handler: ${handler} }`)}`,
    { registry, services },
  )
  return { ...loaded, loopMs: () => registry.loopMs().get('shop/card') ?? 0 }
}

/** Far above what else a call takes, also on a busy machine. */
const burntMs = 40

it.each([
  ['before its first await', '() => { burn(40) }'],
  ['after a promise that had settled', 'async () => { await null; burn(40) }'],
  [
    'after a service has answered',
    'async (_, { services }) => { await services.store.read(); burn(40) }',
  ],
  [
    'after several services have answered',
    'async (_, { services: { store } }) => { await Promise.all([store.read(), store.read()]); burn(40) }',
  ],
  [
    'after a service has failed',
    'async (_, { services }) => { await services.store.fail().catch(() => null); burn(40) }',
  ],
  [
    'further on, after a service has answered',
    'async (_, { services }) => { await services.store.read(); await null; await null; burn(40) }',
  ],
  [
    'after a timer',
    'async () => { await new Promise((resume) => setTimeout(resume, 2)); burn(40) }',
  ],
  ['in a timer', '() => new Promise((answer) => setTimeout(() => { burn(40); answer({}) }, 2))'],
  [
    'in a microtask',
    '() => new Promise((answer) => queueMicrotask(() => { burn(40); answer({}) }))',
  ],
  ['in a getter of its answer', '() => ({ get price() { burn(40); return 7 } })'],
  [
    'in a getter of its answer, after a promise of the host',
    `async () => {
      await crypto.subtle.digest('SHA-256', new Uint8Array(1))
      return { get price() { burn(40); return 7 } }
    }`,
  ],
])('has what a function computes %s', async (_, handler) => {
  const { invoke, loopMs } = await loadBurning(handler)
  await invoke()
  expect(loopMs()).toBeGreaterThanOrEqual(burntMs)
  expect(loopMs()).toBeLessThan(2 * burntMs)
})

it.each([
  [
    'by its parts',
    `new ReadableStream({
      pull: async (out) => {
        await null
        burn(20)
        out.enqueue(new Uint8Array(9))
        if (++chunks === 4) out.close()
      },
    })`,
  ],
  [
    'by a generator',
    `ReadableStream.from((async function* () {
      for (; chunks < 4; chunks += 1) { burn(20); yield new Uint8Array(9) }
    })())`,
  ],
])('has what a stream computes %s, whoever reads it', async (_, stream) => {
  const { invoke, loopMs } = await loadBurning(`() => new Response(${stream})`, 'let chunks = 0')
  await textOf(await invoke())
  await wait(1)
  expect(loopMs()).toBeGreaterThanOrEqual(80)
  expect(loopMs()).toBeLessThan(160)
})

it('has what a call leaves behind, by itself and not as a sample', async () => {
  const { invoke, loopMs } = await loadBurning(
    `() => { if (++calls === 32) setTimeout(() => burn(40), 2); return {} }`,
    'let calls = 0',
  )
  for (let call = 0; call < 32; call += 1) await invoke()
  const before = loopMs()
  await wait(20)
  expect(loopMs() - before).toBeGreaterThanOrEqual(burntMs)
  expect(loopMs() - before).toBeLessThan(2 * burntMs)
})

it('has the timers of its top level', async () => {
  const { revision, loopMs } = await loadBurning('() => ({})', 'setInterval(() => burn(10), 5)')
  await wait(60)
  revision.dispose()
  expect(loopMs()).toBeGreaterThanOrEqual(30)
})

it('has what its finalizers compute', async () => {
  const { invoke, loopMs } = await loadBurning(
    '() => { registry.register({}, 7); return {} }',
    'const registry = new FinalizationRegistry(() => burn(40))',
  )
  await invoke()
  await wait(1)
  collectGarbage()
  await wait(20)
  expect(loopMs()).toBeGreaterThanOrEqual(burntMs)
})

it('has nothing of what others compute in the same turn, nor the host once it has answered', async () => {
  const light = await loadBurning('async (_, { services }) => (await services.store.read(), {})')
  const heavy = await loadBurning(
    '() => new Promise((answer) => { burn(20); queueMicrotask(() => { burn(20); answer({}) }) })',
  )
  await Promise.all([heavy.invoke(), light.invoke(), heavy.invoke(), light.invoke()])
  expect(heavy.loopMs()).toBeGreaterThanOrEqual(2 * burntMs)
  expect(light.loopMs()).toBeLessThan(burntMs)
  await light.invoke()
  const end = performance.now() + burntMs
  while (performance.now() < end);
  await wait(1)
  expect(light.loopMs()).toBeLessThan(burntMs)
})

it('counts a call for itself, or as the sample it is', () => {
  const counted: [string, number][] = []
  const recordOf = (name: string): LoopTimeRecord => ({
    recordLoopTime: (_, calls) => counted.push([name, calls]),
  })
  const card = recordOf('card')
  const quote = recordOf('quote')
  chargeLoopTime(card, 16)
  chargeLoopTime(card, 16)
  chargeLoopTime(quote, 1)
  chargeLoopTime(card, 0)
  expect(counted).toHaveLength(2)
  chargeLoopTime(card, 1)
  stopLoopTime()
  stopLoopTime()
  expect(counted).toEqual([
    ['card', 16],
    ['quote', 1],
    ['card', 1],
  ])
})

it('ends with the microtasks of the turn', async () => {
  const counted: number[] = []
  const record = { recordLoopTime: (ms: number): number => counted.push(ms) }
  void microtask.then(() => chargeLoopTime(record, 1))
  await wait(30)
  expect(counted).toEqual([expect.any(Number)])
  expect(counted[0]).toBeLessThan(20)
})
