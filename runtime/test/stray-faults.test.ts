import { describe, expect, it } from 'vitest'
import type { RuntimeEvent } from '../src/index.ts'
import { testFunctionState, testRollout } from '../src/manifest/testing/test-documents.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const works = 'async () => ({})'
/** Answers well, and leaves so many rejections that nobody awaits. */
const leaves = (rejections: number) => `async () => {
  for (let each = 0; each < ${rejections}; each++) Promise.reject(new Error('stray'))
  return {}
}`
/** The same at its first call only. */
const leavesOnce = (rejections: number) => `(() => {
  let calls = 0
  return async () => {
    calls += 1
    if (calls > 1) return {}
    for (let each = 0; each < ${rejections}; each++) Promise.reject(new Error('stray'))
    return {}
  }
})()`

async function start(sources: { stable: string; canary: string | null; previous?: string }) {
  const bucket = await createTestEnvironment()
  const stable = await bucket.release('shop/card', sources.stable)
  const canary = sources.canary && (await bucket.release('shop/card', sources.canary))
  const previous = sources.previous && (await bucket.release('shop/card', sources.previous))
  const rollbackUntil = new Date(Date.now() + 3_600_000).toISOString()
  await bucket.publish({
    card: testFunctionState(stable, {
      ...(canary && { rollout: testRollout(canary, { weightPercent: 50 }) }),
      ...(previous && { previous: [previous], rollbackUntil }),
    }),
  })
  const runtime = await startRuntime(bucket, { maxLoopDelayMs: false, probationCalls: 0 })
  let calls = 0
  /** What is left behind fails before the next one is called. */
  const callMany = async (count: number): Promise<void> => {
    for (let made = 0; made < count; made++) {
      await call(runtime, '/shop/card', { headers: { 'x-needle-key': `user-${(calls += 1)}` } })
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const card = () => runtime.status().functions.find((each) => each.function === 'shop/card')
  return { runtime, callMany, card, previous }
}

describe('failures that nobody awaits', () => {
  it('stop a canary that leaves them, although all its answers are good', async () => {
    const { callMany, card } = await start({ stable: works, canary: leaves(1) })
    await callMany(100)
    expect(card()).toMatchObject({ canary: null, rollout: { trip: { cause: 'errors' } } })
    const { calls = 0, faults = 0 } = card()?.rollout?.measured.canary ?? {}
    // Each call of it was a good one and one that failed.
    expect(faults).toBeLessThanOrEqual(40)
    expect(calls).toBe(2 * faults)
  })

  it('speak against nobody when stable leaves some, too', async () => {
    const { callMany, card } = await start({ stable: leaves(1), canary: leaves(2) })
    await callMany(400)
    expect(card()?.rollout).toMatchObject({ trip: null })
    expect(card()?.canary).toEqual(expect.any(String))
  })

  it('count once for one call, however many it leaves', async () => {
    const { callMany, card } = await start({ stable: works, canary: leavesOnce(500) })
    await callMany(100)
    expect(card()?.rollout).toMatchObject({ trip: null, measured: { canary: { faults: 1 } } })
  })

  it('take a stable back that begins with them within its rollback window', async () => {
    const { callMany, card, previous } = await start({
      stable: leaves(1),
      canary: null,
      previous: works,
    })
    await callMany(60)
    expect(card()?.stableTrip).toMatchObject({ successor: previous && previous.release })
  })

  it('are told of by the runtime whose function left them, of several in a process', async () => {
    const [first, second] = [await createTestEnvironment(), await createTestEnvironment()]
    await first.publish({ card: works })
    await second.publish({ cart: leaves(1) })
    const told: string[] = []
    const listen = (name: string) => ({
      onEvent: ({ type }: RuntimeEvent) => {
        if (type === 'strayFailure') told.push(name)
      },
    })
    await startRuntime(first, listen('first'))
    const runtime = await startRuntime(second, listen('second'))
    await call(runtime, '/shop/cart')
    await expect.poll(() => told).toEqual(['second'])
    expect(runtime.metrics()).toMatch(/^needle_stray_failures_total\{.*\} 1$/m)
  })

  it('are counted by revision', async () => {
    const { runtime, callMany } = await start({ stable: leaves(3), canary: null })
    await callMany(5)
    expect(runtime.metrics()).toMatch(/^needle_stray_failures_total\{.*\} 5$/m)
  })
})
