import { expect, it } from 'vitest'
import type { Logger } from '../src/function/authoring/function-context.ts'
import { objectKey } from '../src/manifest/object-key.ts'
import { testFunctionState, testStop } from '../src/manifest/testing/test-documents.ts'
import { silentLog } from './support/silent-log.ts'
import { type HostOptions, startHost } from './support/start-host.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'
import { withhold } from './support/withhold.ts'

const poison = `(() => { throw new Error('no') })()`

async function start(bucket: TestEnvironment, options: HostOptions = {}) {
  const warnings: string[] = []
  const app = await startHost(bucket, {
    source: { bootDeadlineMs: 50 },
    endpoints: { ready: '/ready' },
    log: { ...silentLog, warn: (message) => void warnings.push(message) } satisfies Logger,
    ...options,
  })
  // On a busy machine the deadline is over before the first poll is.
  await app.needle.refresh()
  const ready = async () => {
    const answer = await app.inject('/ready')
    return { status: answer.statusCode, ...answer.json<Record<string, unknown>>() }
  }
  return { app, ready, warnings }
}

it('waits while every function is refused, and comes when one is published that serves', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: poison })
  const { app, ready } = await start(bucket)
  expect(await ready()).toMatchObject({ status: 503, state: 'notReady', version: 1, refused: 1 })
  expect(app.needle.metrics()).toContain('\nneedle_ready 0\n')
  expect((await app.inject('/bff/shop/card')).statusCode).toBe(503)

  await bucket.publish({ card: poison, other: 'async () => 1' })
  await app.needle.refresh()
  await app.needle.ready()
  expect(await ready()).toMatchObject({ status: 200, state: 'ready', version: 2, refused: 1 })
})

it('comes without a new manifest once the store has what was missing', async () => {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => 1')
  const putBack = await withhold(bucket.store, objectKey.artifact(card.artifact))
  await bucket.publish({ card })
  const { app, ready } = await start(bucket, {
    source: { bootDeadlineMs: 50, pollIntervalMs: 20 },
  })
  expect(await ready()).toMatchObject({ status: 503, refused: 1 })
  await putBack()
  await app.needle.ready()
  expect(await ready()).toMatchObject({ status: 200, refused: 0 })
})

it('ends the wait of the start: what is mended within its time serves at once', async () => {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => 1')
  const putBack = await withhold(bucket.store, objectKey.artifact(card.artifact))
  await bucket.publish({ card })
  const starting = start(bucket, { source: { bootDeadlineMs: 60_000, pollIntervalMs: 20 } })
  await putBack()
  const { ready } = await starting
  expect(await ready()).toMatchObject({ status: 200 })
})

it('waits for the whole first activation, though some functions serve before the others', async () => {
  const bucket = await createTestEnvironment()
  const late = await bucket.release('shop/late', 'async () => 2')
  await bucket.publish({ card: 'async () => 1', late })
  const arrival = Promise.withResolvers<void>()
  const store: typeof bucket.store = {
    ...bucket.store,
    get: async (key, options) => {
      if (key === objectKey.artifact(late.artifact)) await arrival.promise
      return bucket.store.get(key, options)
    },
  }
  const app = await startHost(bucket, {
    source: { store, bootDeadlineMs: 50 },
    endpoints: { ready: '/ready' },
  })
  const statusOf = async (path: string) => (await app.inject(path)).statusCode
  await expect.poll(() => statusOf('/bff/shop/card'), { timeout: 5000 }).toBe(200)
  expect(await statusOf('/bff/shop/late')).toBe(503)
  expect(await statusOf('/ready')).toBe(503)

  arrival.resolve()
  await app.needle.ready()
  expect(await statusOf('/bff/shop/late')).toBe(200)
  expect(await statusOf('/ready')).toBe(200)
})

it('does not go back when what served is refused', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: poison })
  const { app, ready } = await start(bucket, { loadAhead: 0 })
  expect(await ready()).toMatchObject({ status: 200, refused: 0 })
  await app.inject('/bff/shop/card')
  await app.needle.refresh()
  expect(await ready()).toMatchObject({ status: 200, refused: 1 })
})

it('waits while the only group is unknown, with an alarm and one line, until the group is there', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({}, { manifest: { groups: {} } })
  const { app, ready, warnings } = await start(bucket)
  await bucket.publish({}, { manifest: { groups: {} } })
  await app.needle.refresh()
  expect(await ready()).toMatchObject({ status: 503, alarms: ['GROUP_MISSING'], refusal: null })
  expect(app.needle.status().alarms).toMatchObject([
    {
      message:
        'The manifest of production does not know the group "shop"; it knows none. Correct the "groups" option, or publish a function of the group.',
    },
  ])
  expect(warnings).toEqual(['Needle is to serve a group its manifest does not know'])

  await bucket.publish({ card: 'async () => 1' })
  await app.needle.refresh()
  expect(await ready()).toMatchObject({ status: 200, alarms: [] })
})

it('comes where one of two groups is unknown, and says so', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => 1' })
  const { app, ready } = await start(bucket, { groups: ['shop', 'shpo'] })
  expect(await ready()).toMatchObject({ status: 200, alarms: ['GROUP_MISSING'] })
  expect(app.needle.status().alarms[0]?.message).toContain('the group "shpo"; it knows "shop"')
  expect(app.needle.metrics()).toContain('\nneedle_alarms 1\n')
})

it.each<[string, (bucket: TestEnvironment) => Promise<unknown>]>([
  ['its groups have no functions', (bucket) => bucket.publish({})],
  [
    'its only function is stopped on purpose',
    async (bucket) => {
      const card = await bucket.release('shop/card', 'async () => 1')
      await bucket.publish({ card: testFunctionState(card, { hold: testStop }) })
    },
  ],
  [
    'its only function is stopped on purpose and cannot be fetched',
    async (bucket) => {
      const card = await bucket.release('shop/card', 'async () => 1')
      await withhold(bucket.store, objectKey.artifact(card.artifact))
      await bucket.publish({ card: testFunctionState(card, { hold: testStop }) })
    },
  ],
])('comes where %s', async (_title, publish) => {
  const bucket = await createTestEnvironment()
  await publish(bucket)
  const { ready } = await start(bucket)
  expect(await ready()).toMatchObject({ status: 200, alarms: [] })
})

it.each([
  ['serves', 'async () => 1', 'what serves goes on', 'what serves goes on'],
  ['does not serve', poison, 'it waits for one', 'nothing serves'],
])('says what a fault of the store means where a function %s', async (_title, card, none, away) => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card })
  let isAway = false
  const store: typeof bucket.store = {
    ...bucket.store,
    get: (...given) => {
      if (isAway) throw new Error('the store is away')
      return bucket.store.get(...given)
    },
  }
  const { app, ready, warnings } = await start(bucket, { source: { bootDeadlineMs: 50, store } })
  await bucket.store.delete(objectKey.manifest('production'))
  await app.needle.refresh()
  isAway = true
  await app.needle.refresh()
  expect(warnings).toEqual([
    `Needle found no manifest; ${none}`,
    `Needle cannot read its store; ${away}`,
  ])
  const code = 'STORE_UNAVAILABLE'
  expect(await ready()).toMatchObject({ refusal: code, alarms: [code] })
})
