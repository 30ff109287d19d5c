import { expect, it } from 'vitest'
import type { RuntimeEvent } from '../src/index.ts'
import { call as callOnce } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createTestEnvironment } from './support/test-environment.ts'

/** Holds the event loop as long as the query says. */
const holds = `async ({ ms }) => {
  const end = Date.now() + Number(ms)
  while (Date.now() < end);
  return { ms }
}`

/** Far apart, so that a busy machine cannot mistake one for the other. */
const limitMs = 2000
const guardMs = 1600

async function start(probationCalls: number) {
  const bucket = await createTestEnvironment()
  await bucket.publish({ culprit: holds, other: holds })
  const events: RuntimeEvent[] = []
  const runtime = await startRuntime(bucket, {
    watchdog: { limitMs },
    probationCalls,
    onEvent: (event) => events.push(event),
  })
  const call = (name: string, ms: number) =>
    callOnce(runtime, `/shop/${name}?ms=${ms}`, { requestId: `${name} ${ms}` })
  const isOnProbation = (name: string) =>
    runtime.status().functions.find((each) => each.function === `shop/${name}`)?.probation
  return { runtime, events, call, isOnProbation }
}

it('ends one of the first calls that holds the event loop, and harms no other', async () => {
  const { runtime, events, call } = await start(3)
  const [culprit, ...others] = await Promise.all([
    call('culprit', 60_000),
    call('other', 0),
    call('other', 1),
  ])
  expect(culprit).toMatchObject({ status: 504, body: { error: { code: 'FUNCTION_RUNAWAY' } } })
  expect(others.map(({ status }) => status)).toEqual([200, 200])
  expect(await call('culprit', 0)).toMatchObject({
    status: 503,
    body: { error: { code: 'FUNCTION_QUARANTINED' } },
  })
  expect(events).toContainEqual({
    type: 'runaway',
    revision: expect.stringContaining('shop/culprit@'),
    requestId: 'culprit 60000',
    stalledMs: guardMs,
    stopped: true,
  })
  await runtime.refresh()
  expect(runtime.status().functions[0]?.refusals).toMatchObject([{ code: 'FUNCTION_RUNAWAY' }])
})

it('is over after so many calls, which may then take longer', async () => {
  const { call, isOnProbation } = await start(3)
  for (let left = 3; left > 0; left -= 1) {
    expect(isOnProbation('culprit')).toBe(true)
    expect((await call('culprit', 0)).status).toBe(200)
  }
  expect(isOnProbation('culprit')).toBe(false)
  expect((await call('culprit', (guardMs + limitMs) / 2)).status).toBe(200)
})

it('is over for good: after a restart, too, but for those that were not called enough', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ proven: holds, other: holds })
  const source = { cacheDirectory: await createTemporaryDirectory() }
  const before = await startRuntime(bucket, { source, probationCalls: 3 })
  for (const name of ['proven', 'proven', 'proven', 'other']) {
    await callOnce(before, `/shop/${name}?ms=0`)
  }
  await before.close()

  const after = await startRuntime(bucket, { source, probationCalls: 3 })
  await expect
    .poll(() => after.status().functions)
    .toMatchObject([
      { function: 'shop/other', loaded: true, probation: true },
      { function: 'shop/proven', loaded: true, probation: false },
    ])
})

it('is none where the host wants none', async () => {
  const { isOnProbation } = await start(0)
  expect(isOnProbation('culprit')).toBe(false)
})
