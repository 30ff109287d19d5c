import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import type { RuntimeEvent } from '../src/index.ts'
import type { ReleaseRef } from '../src/manifest/group-document.ts'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

/** A release before and the one that replaces it, which keeps the first loaded for a rollback. */
async function createFixture(
  before: string,
  { after = 'async () => ({ v: 2 })', drainTimeoutMs = 50 } = {},
) {
  const bucket = await createTestEnvironment()
  const settings = { uses: ['tick'], idempotent: true, timeoutMs: 60_000 }
  const one = await bucket.release('shop/card', before, { settings })
  const two = await bucket.release('shop/card', after, { settings })
  let ticks = 0
  const services: object = { tick: () => void (ticks += 1) }
  const events: RuntimeEvent[] = []
  const start = () =>
    startRuntime(bucket, {
      services,
      drainTimeoutMs,
      onEvent: (event) => events.push(event),
    })
  return {
    start,
    events,
    serve: (stable: ReleaseRef, previous: readonly ReleaseRef[], rollbackUntil?: string) =>
      bucket.publish({
        card: testFunctionState(stable, {
          previous: [...previous],
          ...(rollbackUntil !== undefined && { rollbackUntil }),
        }),
      }),
    one,
    two,
    /** How often a timer of the first release fired in a while. */
    ticksInAWhile: async () => {
      ticks = 0
      await delay(200)
      return ticks
    },
  }
}

/** Its first call starts an interval that ends only with it. */
const ticking = `(() => {
  let begun = false
  return async (input, { services }) => {
    if (!begun) setInterval(() => services.tick(), 10)
    begun = true
    return { v: 1 }
  }
})()`

it('holds the timers of a release that was replaced and is kept, until it serves again', async () => {
  const { start, serve, one, two, ticksInAWhile } = await createFixture(ticking)
  await serve(one, [])
  const runtime = await start()
  await call(runtime)
  expect(await ticksInAWhile()).toBeGreaterThan(2)

  await serve(two, [one])
  await runtime.refresh()
  expect(await call(runtime)).toMatchObject({ body: { v: 2 } })
  expect(await ticksInAWhile()).toBe(0)

  await serve(one, [two])
  await runtime.refresh()
  expect(await ticksInAWhile()).toBeGreaterThan(2)
})

it('does not start the timers of one that is loaded only to be kept', async () => {
  const evaluated = `(() => {
    let ticks = 0
    setInterval(() => (ticks += 1), 10)
    return async () => ({ ticks })
  })()`
  const { start, serve, one, two } = await createFixture(evaluated)
  await serve(two, [one])
  const runtime = await start()
  await expect.poll(() => runtime.metrics()).toMatch(loadedOf(one))
  await delay(200)
  await serve(one, [two])
  await runtime.refresh()
  const { body } = await call(runtime)
  // Those since it serves; 20 fitted into the time before.
  expect(body).toMatchObject({ ticks: expect.toSatisfy((ticks: number) => ticks < 10) })
})

it('ends calls of a release that was replaced and is kept, at the drain deadline', async () => {
  const { start, serve, one, two, events } = await createFixture('() => new Promise(() => {})')
  await serve(one, [])
  const runtime = await start()
  const calls = [call(runtime), call(runtime)]
  await delay(10)
  await serve(two, [one])
  await runtime.refresh()
  for (const each of calls) {
    expect(await each).toMatchObject({ status: 503, errorCode: 'FUNCTION_STOPPED' })
  }
  const overdue = events.filter(({ type }) => type === 'drainTimedOut')
  expect(overdue).toMatchObject([{ inFlight: 2 }])
})

it('does not begin that deadline anew when something else changes', async () => {
  const { start, serve, one, two } = await createFixture('() => new Promise(() => {})')
  await serve(one, [])
  const runtime = await start()
  let changes = 0
  const changesMet = call(runtime).then(() => changes)
  await delay(10)
  for (; changes < 20; changes += 1) {
    await serve(two, [one])
    await runtime.refresh()
    await delay(20)
  }
  expect(await changesMet).toBeLessThan(20)
})

it('lets one answer in the stead of the one that replaced it, timers and all, past that deadline', async () => {
  const waits = 'async () => { await new Promise((go) => setTimeout(go, 20)); return { v: 1 } }'
  const fails = 'async () => { throw new Error("bad") }'
  const { start, serve, one, two } = await createFixture(waits, { after: fails })
  await serve(one, [])
  const runtime = await start()
  expect(await call(runtime)).toMatchObject({ body: { v: 1 } })
  await serve(two, [one], new Date(Date.now() + 3_600_000).toISOString())
  await runtime.refresh()
  await delay(100)
  expect(await call(runtime)).toMatchObject({
    body: { v: 1 },
    headers: { 'x-needle-fallback': expect.stringContaining('shop/card@') },
  })
})

it('lets a call that began before a rollback go on past the deadline it had', async () => {
  const slow = 'async () => { await new Promise((go) => setTimeout(go, 1500)); return { v: 1 } }'
  // Time enough for both changes, however busy the machine is.
  const { start, serve, one, two, events } = await createFixture(slow, { drainTimeoutMs: 1000 })
  await serve(one, [])
  const runtime = await start()
  const answer = call(runtime)
  await delay(10)
  await serve(two, [one])
  await runtime.refresh()
  await serve(one, [two])
  await runtime.refresh()
  expect(await answer).toMatchObject({ status: 200, body: { v: 1 } })
  expect(events.filter(({ type }) => type === 'drainTimedOut')).toEqual([])
})

function loadedOf({ release }: ReleaseRef): RegExp {
  return new RegExp(`faas_init_duration_seconds_count\\{[^}]*${release.slice(7, 19)}[^}]*\\} 1`)
}
