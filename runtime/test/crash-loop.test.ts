import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import type { ReleaseRef } from '../src/manifest/group-document.ts'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import { createFileStore } from '../src/store/file.ts'
import type { Orders } from './support/crashing-host.ts'
import { call } from './support/call.ts'
import { createManualClock } from './support/manual-clock.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'

let directory: string
let bucket: TestEnvironment

beforeEach(async () => {
  directory = await createTemporaryDirectory()
  bucket = await createTestEnvironment(createFileStore(at('bucket')))
  await writeFile(at('root.json'), bucket.trust.rootBytes)
})

const host = new URL('./support/crashing-host.ts', import.meta.url)
const exhaustMemory = '{ const all = []; for (;;) all.push(new Array(1e5).fill(all.length)) }'

const at = (part: string): string => path.join(directory, part)

/** Starts a host that obeys; null when that was the end of the process. */
async function run(orders: Partial<Orders> = {}): Promise<unknown> {
  const child = fork(host, [at('bucket'), at('cache'), at('root.json')], {
    execArgv: ['--conditions=needle-source', '--max-old-space-size=80'],
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  const ended = once(child, 'exit').then(() => null)
  if ((await Promise.race([once(child, 'message'), ended])) === null) return null
  child.send({ name: 'card', times: 1, lingerMs: 0, ...orders })
  const told = await Promise.race([once(child, 'message'), ended])
  if (child.connected) child.disconnect()
  await ended
  return told === null ? null : told[0]
}

const publish = (stable: ReleaseRef, previous: ReleaseRef) =>
  bucket.publish({ card: testFunctionState(stable, { previous: [previous] }) })

const wellBehaved = 'async () => ({ v: 1 })'

/** A release that has served here. */
async function serveProven(): Promise<ReleaseRef> {
  const proven = await bucket.release('shop/card', wellBehaved)
  await bucket.publish({ card: proven })
  expect(await run()).toMatchObject({ status: 200, body: { v: 1 } })
  return proven
}

it.each([
  ['when it is called', { handler: `async () => ${exhaustMemory}` }],
  ['while it loads', { handler: '', script: `(() => ${exhaustMemory})()` }],
])(
  'a release that ends the process twice %s is not tried again: the proven one serves',
  async (_, { handler, ...options }) => {
    const proven = await serveProven()
    const crashing = await bucket.release('shop/card', handler, options)
    await publish(crashing, proven)
    expect(await run()).toBe(null)
    expect(await run()).toBe(null)
    expect(await run()).toMatchObject({
      status: 200,
      body: { v: 1 },
      functions: [{ refusals: [{ code: 'FUNCTION_CRASHED' }] }],
    })

    const fixed = await bucket.release('shop/card', 'async () => ({ v: 3 })')
    await publish(fixed, proven)
    expect(await run()).toMatchObject({ status: 200, body: { v: 3 } })
  },
  60_000,
)

/** Refused with what says whether it is tried again. */
const fallenBack = (message: string) => ({
  status: 200,
  body: { v: 1 },
  functions: [
    { refusals: [{ code: 'FUNCTION_CRASHED', message: expect.stringContaining(message) }] },
  ],
})

it('a release that ends the process after its probation is not tried for an hour', async () => {
  const proven = await serveProven()
  const crashing = await bucket.release(
    'shop/card',
    `(() => { let calls = 0; return async () => { if (++calls > 20) ${exhaustMemory} return { v: 2 } } })()`,
  )
  await publish(crashing, proven)
  expect(await run({ times: 20 })).toMatchObject({
    status: 200,
    body: { v: 2 },
  })
  expect(await run({ times: 21 })).toBe(null)
  const orders = { times: 21 }
  expect([await run(orders), await run(orders)]).toEqual([null, null])
  expect(await run(orders)).toMatchObject(fallenBack('it is tried again at'))
}, 60_000)

it('a release that ends the process twice by a timer it left behind is not tried again', async () => {
  const proven = await serveProven()
  const crashing = await bucket.release(
    'shop/card',
    `async () => { setTimeout(() => ${exhaustMemory}, 50); return { v: 2 } }`,
  )
  await publish(crashing, proven)
  const orders = { lingerMs: 20_000 }
  expect([await run(orders), await run(orders)]).toEqual([null, null])
  expect(await run()).toMatchObject(fallenBack('It is not tried here again'))
}, 60_000)

const never = 'async () => new Promise(() => {})'

it('only the one of two functions at work that ends the process is not tried again', async () => {
  const proven = await serveProven()
  const crashing = await bucket.release('shop/card', `async () => ${exhaustMemory}`)
  const slow = await bucket.release('shop/slow', never)
  await bucket.publish({ card: testFunctionState(crashing, { previous: [proven] }), slow })
  const orders = { begin: ['slow'] }
  expect([await run(orders), await run(orders)]).toEqual([null, null])
  expect(await run()).toMatchObject({
    body: { v: 1 },
    events: ['uncleanEnd', 'functionRefused', 'activated'],
    functions: [
      { refusals: [{ code: 'FUNCTION_CRASHED' }] },
      { function: 'shop/slow', refusals: [] },
    ],
  })
}, 60_000)

it.each([
  [0, []],
  [1, ['uncleanEnd']],
])(
  'an exit with code %i in the middle of a call tells the next process %j',
  async (exitCode, events) => {
    const slow = await bucket.release('shop/slow', never)
    const card = await bucket.release('shop/card', wellBehaved)
    await bucket.publish({ card, slow })
    expect(await run({ begin: ['slow'], exitCode })).toBe(null)
    expect(await run()).toMatchObject({ status: 200, events: [...events, 'activated'] })
  },
  60_000,
)

it('a release that may be innocent is tried again when its time has come', async () => {
  const clock = createManualClock()
  const hourMs = 60 * 60 * 1000
  const proven = await bucket.release('shop/card', wellBehaved)
  const suspected = await bucket.release('shop/card', 'async () => ({ v: 2 })')
  await publish(suspected, proven)
  const suspect = {
    function: 'shop/card',
    atWork: [],
    crashes: { load: 0, call: 2 },
    condemnation: { times: 1, until: clock.now() + hourMs },
  }
  const told = { suspects: { [suspected.release]: suspect }, proven: [suspected.release] }
  await mkdir(at('cache/production'), { recursive: true })
  await writeFile(at('cache/production/crashes.json'), JSON.stringify(told))
  const source = { cacheDirectory: at('cache') }
  const runtime = await startRuntime(bucket, { clock, source })
  expect(await call(runtime)).toMatchObject({ body: { v: 1 } })
  clock.advance(hourMs - 1)
  await runtime.refresh()
  expect(await call(runtime)).toMatchObject({ body: { v: 1 } })
  clock.advance(1)
  await runtime.refresh()
  expect(await call(runtime)).toMatchObject({ body: { v: 2 } })
  expect(runtime.status().functions).toMatchObject([{ refusals: [] }])
})
