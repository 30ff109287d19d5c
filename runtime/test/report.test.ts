import { expect, it } from 'vitest'
import { systemClock } from '../src/clock.ts'
import { testFunctionState, testRollout } from '../src/manifest/testing/test-documents.ts'
import { readReport } from './support/read-report.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

it('tells the store at once what it runs, and what it refused', async () => {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => 1')
  await bucket.publish({ card })
  const runtime = await startRuntime(bucket, { report: true, instance: 'bff-1' })
  const report = () => readReport(bucket.store, 'bff-1')
  await expect.poll(async () => (await report())?.state).toBe('ready')
  expect(await report()).toMatchObject({
    manifest: { version: 1 },
    refusal: null,
    functions: { 'shop/card': { stable: card.release, manifestVersion: 1, refusals: [] } },
  })

  const bad = await bucket.release('shop/card', '', { script: 'throw new Error("poison")' })
  await bucket.publish({ card: bad })
  await runtime.refresh()
  await expect
    .poll(async () => (await report())?.functions['shop/card']?.refusals)
    .toMatchObject([{ code: 'FUNCTION_THROWS_AT_LOAD', release: bad.release, salt: null }])
  expect((await report())?.stopped).toBeUndefined()
  await runtime.close()
  expect(await report()).toMatchObject({ stopped: true, manifest: { version: 2 } })
})

it('tells of which rollout the canary was that it refused', async () => {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => 1')
  const bad = await bucket.release('shop/card', '', { script: 'throw new Error("poison")' })
  const publish = (salt: string) =>
    bucket.publish({ card: testFunctionState(card, { rollout: testRollout(bad, { salt }) }) })
  await publish('first-salt')
  const runtime = await startRuntime(bucket, { report: true, instance: 'bff-1' })
  const refusals = async () =>
    (await readReport(bucket.store, 'bff-1'))?.functions['shop/card']?.refusals
  const refused = { code: 'FUNCTION_THROWS_AT_LOAD', release: bad.release }
  await expect.poll(refusals).toMatchObject([{ ...refused, salt: 'first-salt' }])
  // Cleared meanwhile and published again.
  await publish('second-salt')
  await runtime.refresh()
  await expect.poll(refusals).toMatchObject([{ ...refused, salt: 'second-salt' }])
  await runtime.close()
})

it('closes in time when the store does not take the last report', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => 1' })
  const asked: number[] = []
  let isAway = false
  const runtime = await startRuntime(bucket, {
    source: {
      store: {
        ...bucket.store,
        put: (...args) =>
          isAway ? Promise.withResolvers<never>().promise : bucket.store.put(...args),
      },
    },
    report: true,
    instance: 'bff-1',
    clock: {
      now: () => Date.now(),
      // Nobody waits in this test but for the end of the waiting.
      sleep: (delayMs, signal) => {
        asked.push(delayMs)
        if (isAway && delayMs === 2_000) return Promise.resolve()
        return systemClock.sleep(delayMs, signal)
      },
    },
  })
  isAway = true
  await runtime.close()
  expect(asked).toContain(2_000)
})

it('tells for how long it is up by a clock that nobody sets back', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => 1' })
  let skewMs = 0
  const runtime = await startRuntime(bucket, {
    report: true,
    instance: 'bff-1',
    clock: { ...systemClock, now: () => Date.now() + skewMs },
  })
  const read = () => readReport(bucket.store, 'bff-1')
  const reportOf = async (version: number) => {
    await expect.poll(async () => (await read())?.manifest?.version).toBe(version)
    const { startedAt, reportedAt, uptimeMs = NaN } = (await read()) ?? {}
    return { startedAt, reportedAt: Date.parse(reportedAt ?? ''), uptimeMs }
  }
  const before = await reportOf(1)
  skewMs = -10 * 60_000
  await bucket.publish({ card: 'async () => 2' })
  await runtime.refresh()
  const after = await reportOf(2)
  expect(after.startedAt).toBe(before.startedAt)
  expect(after.reportedAt).toBeLessThan(before.reportedAt)
  expect(after.uptimeMs).toBeGreaterThan(before.uptimeMs)
  expect(after.uptimeMs).toBeLessThan(60_000)
  await runtime.close()
})
