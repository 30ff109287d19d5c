import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { FunctionStatus, Runtime, RuntimeEvent } from '../src/index.ts'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import type { ArtifactStore } from '../src/store/artifact-store.ts'
import { call } from './support/call.ts'
import { createManualClock } from './support/manual-clock.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const statusOf = (runtime: Runtime, name: string): FunctionStatus | undefined =>
  runtime.status().functions.find((each) => each.function === name)

describe('the status of a function', () => {
  it('counts what went wrong with it, and nothing of others', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({
      card: `async ({ what }, { log }) => {
        if (what === 'throws') throw new Error('no')
        if (what === 'leaves') setTimeout(() => { throw new Error('left') })
        if (what === 'logs') for (let left = 1500; left > 0; left -= 1) log.info('line')
        return {}
      }`,
      quote: 'async () => ({})',
    })
    const runtime = await startRuntime(bucket)
    for (const what of ['throws', 'throws', 'leaves', 'logs', 'fine']) {
      await call(runtime, `/shop/card?what=${what}`)
    }
    await call(runtime, '/shop/quote')
    await expect
      .poll(() => statusOf(runtime, 'shop/card')?.counts, { timeout: 5000 })
      .toEqual({
        stable: {
          calls: 5,
          faults: 2,
          errors: { FUNCTION_FAILED: 2 },
          strayFailures: 1,
          droppedLogLines: 500,
        },
        canary: null,
      })
    const none = { calls: 1, faults: 0, errors: {}, strayFailures: 0, droppedLogLines: 0 }
    expect(statusOf(runtime, 'shop/quote')?.counts).toEqual({ stable: none, canary: null })
  })

  it('has no counts of what was not loaded', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: 'async () => ({})' })
    const runtime = await startRuntime(bucket, { loadAhead: 0 })
    expect(statusOf(runtime, 'shop/card')?.counts).toEqual({ stable: null, canary: null })
  })

  it('tells since when it serves like this, and by which manifest, though newer ones came', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock()
    const told: RuntimeEvent[] = []
    const stays = await bucket.release('shop/card', 'async () => ({ v: 1 })')
    await bucket.publish({ card: stays, quote: 'async () => ({ v: 1 })' })
    const began = new Date(clock.now()).toISOString()
    const runtime = await startRuntime(bucket, { clock, onEvent: (event) => told.push(event) })
    clock.advance(60_000)
    // It serves what it served, for another reason.
    const hold = { mode: 'revision', by: 'ops', reason: 'sale', since: began, until: null } as const
    await bucket.publish({
      card: testFunctionState(stays, { hold }),
      quote: 'async () => ({ v: 2 })',
    })
    const changed = new Date(clock.now()).toISOString()
    await runtime.refresh()
    expect(statusOf(runtime, 'shop/card')).toMatchObject({ since: began, manifestVersion: 1 })
    expect(statusOf(runtime, 'shop/quote')).toMatchObject({ since: changed, manifestVersion: 2 })
    const activations = told.filter(({ type }) => type === 'activated')
    expect(activations.at(-1)).toMatchObject({ version: 2, changed: ['shop/quote'] })
  })

  it('tells the same though newer releases were tried and refused', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock()
    const told: RuntimeEvent[] = []
    await bucket.publish({ card: 'async () => ({ v: 1 })' })
    const began = new Date(clock.now()).toISOString()
    const runtime = await startRuntime(bucket, { clock, onEvent: (event) => told.push(event) })
    clock.advance(60_000)
    await bucket.publish({ card: `(() => { throw new Error('no') })()` })
    await runtime.refresh()
    expect(statusOf(runtime, 'shop/card')).toMatchObject({
      since: began,
      manifestVersion: 1,
      refusals: [{ code: 'FUNCTION_THROWS_AT_LOAD' }],
    })
    const activations = told.filter(({ type }) => type === 'activated')
    expect(activations.at(-1)).toMatchObject({ version: 2, changed: [] })
  })
})

it('tells when it asked the store and when that last answered, which is not the same', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => ({})' })
  const clock = createManualClock()
  let isAway = false
  const store: ArtifactStore = {
    ...bucket.store,
    get: async (key, options) => {
      await delay(0)
      if (isAway) throw new Error('away')
      return bucket.store.get(key, options)
    },
  }
  const runtime = await startRuntime(bucket, { clock, source: { store } })
  const answered = new Date(clock.now()).toISOString()
  isAway = true
  clock.advance(60_000)
  const asked = new Date(clock.now()).toISOString()
  await runtime.refresh()
  expect(runtime.status().source).toMatchObject({
    lastRequest: asked,
    lastSuccess: answered,
    lastDownload: answered,
    lastActivation: answered,
  })
  const seconds = Date.parse(answered) / 1000
  expect(runtime.metrics()).toContain(`needle_store_success_timestamp_seconds ${seconds}`)
})
