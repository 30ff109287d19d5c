import { readdir, stat } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { RuntimeError } from '../src/errors.ts'
import { toRevisionId } from '../src/function/revision.ts'
import type { FunctionState, ReleaseRef } from '../src/manifest/group-document.ts'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import type { Runtime } from '../src/runtime.ts'
import type { RuntimeEvent } from '../src/sync/status.ts'
import type { ArtifactStore } from '../src/store/artifact-store.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import { call as callUrl } from './support/call.ts'
import type { QuietOptions } from './support/quiet-options.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createManualClock } from './support/manual-clock.ts'
import { silentLog } from './support/silent-log.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'

let cacheDirectory: string
beforeEach(async () => {
  cacheDirectory = await createTemporaryDirectory()
})

const start = (bucket: TestEnvironment, options: QuietOptions = {}): Promise<Runtime> =>
  startRuntime(bucket, { source: { cacheDirectory }, watchdog: false, ...options })

async function restart(runtime: Runtime, ...[bucket, options]: Parameters<typeof start>) {
  await runtime.close()
  return start(bucket, options)
}

async function call(runtime: Runtime, name: string) {
  const { status, body } = await callUrl(runtime, `/shop/${name}`)
  return { status, body }
}

const loaded = (runtime: Runtime): string[] =>
  runtime.status().functions.flatMap((each) => (each.loaded ? [each.function.slice(5)] : []))

const refusals = (runtime: Runtime, name: string) =>
  runtime.status().functions.find((each) => each.function === `shop/${name}`)?.refusals

const release = (bucket: TestEnvironment, name: string, v = 1) =>
  bucket.release(`shop/${name}`, `async () => ({ v: ${v} }) /* ${name} */`)

const broken = (bucket: TestEnvironment, name: string) =>
  bucket.release(`shop/${name}`, '', { script: 'throw new Error("poison")' })

async function publish(bucket: TestEnvironment, ...names: string[]) {
  const refs: Record<string, ReleaseRef> = {}
  for (const name of names) refs[name] = await release(bucket, name)
  await bucket.publish(refs)
  return refs
}

const after = (stable: ReleaseRef, previous: ReleaseRef): FunctionState =>
  testFunctionState(stable, { previous: [previous] })

const codeFolder = () => path.join(cacheDirectory, 'production/code')

async function compiled(): Promise<string[]> {
  const names = await readdir(codeFolder(), { recursive: true })
  return names.filter((name) => name.endsWith('.bin'))
}

async function writtenAt(name: string): Promise<bigint> {
  return (await stat(path.join(codeFolder(), name), { bigint: true })).mtimeNs
}

const ticking = (name: string): string =>
  `(() => { let n = 0; setInterval(() => console.info('${name}'), 5); return async () => ({ n: ++n }) })()`

/** Tells how often it was called since it was loaded. */
const counter = (bucket: TestEnvironment, v: number) =>
  bucket.release(
    'shop/card',
    `(() => { let calls = 0; return async () => ({ v: ${v}, calls: ++calls }) })()`,
  )

/** Counts reads of artifacts. */
function counting(store: ArtifactStore) {
  const read: string[] = []
  return {
    read,
    store: {
      ...store,
      get: (key: string, options: Parameters<ArtifactStore['get']>[1]) => {
        if (key.startsWith('artifacts/')) read.push(key)
        return store.get(key, options)
      },
    } satisfies ArtifactStore,
  }
}

describe('a function past loadAhead', () => {
  it('is loaded by its first call, once for all that come meanwhile', async () => {
    const bucket = await createTestEnvironment()
    await publish(bucket, 'a', 'b', 'c')
    const { store, read } = counting(bucket.store)
    const runtime = await start(bucket, { source: { store }, loadAhead: 1 })
    expect(loaded(runtime)).toEqual(['a'])
    expect(read).toHaveLength(1)
    const answers = await Promise.all(Array.from({ length: 20 }, () => call(runtime, 'c')))
    expect(answers).toEqual(answers.map(() => ({ status: 200, body: { v: 1 } })))
    expect(loaded(runtime)).toEqual(['a', 'c'])
    expect(read).toHaveLength(2)
  })

  it('answers 503 when it fails at its first call and nothing else can serve', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: await broken(bucket, 'card') })
    const runtime = await start(bucket, { loadAhead: 0 })
    expect(await call(runtime, 'card')).toMatchObject({
      status: 503,
      body: { error: { code: 'FUNCTION_QUARANTINED' } },
    })
    await runtime.refresh()
    expect(refusals(runtime, 'card')).toMatchObject([{ code: 'FUNCTION_THROWS_AT_LOAD' }])
    expect(await call(runtime, 'card')).toMatchObject({ status: 503 })
  })

  it('fails no call when its new release does not load: the one proven before answers it', async () => {
    const bucket = await createTestEnvironment()
    const proven = await release(bucket, 'card')
    await bucket.publish({ card: after(await broken(bucket, 'card'), proven) })
    const runtime = await start(bucket, { loadAhead: 0 })
    const answers = await Promise.all(Array.from({ length: 5 }, () => call(runtime, 'card')))
    expect(answers).toEqual(answers.map(() => ({ status: 200, body: { v: 1 } })))
    await runtime.refresh()
    expect(refusals(runtime, 'card')).toMatchObject([{ code: 'FUNCTION_THROWS_AT_LOAD' }])
  })

  it.each([
    ['the one proven before serves in its place', true],
    ['nothing does', false],
  ])(
    'is refused at once, with no poll due, when it fails at its first call: %s',
    async (_, has) => {
      const bucket = await createTestEnvironment()
      const proven = await release(bucket, 'card')
      const poison = await broken(bucket, 'card')
      await bucket.publish({ card: has ? after(poison, proven) : poison })
      const events: RuntimeEvent[] = []
      // It stands still, so that only the first poll comes by itself.
      const runtime = await start(bucket, {
        loadAhead: 0,
        clock: createManualClock(Date.now()),
        onEvent: (event) => events.push(event),
      })
      await call(runtime, 'card')
      const code = 'FUNCTION_THROWS_AT_LOAD'
      await expect
        .poll(() => runtime.status().functions)
        .toMatchObject([
          {
            stable: has ? toRevisionId('shop/card', proven.release) : null,
            refusals: [{ side: 'stable', code }],
          },
        ])
      expect(events).toContainEqual(
        expect.objectContaining({ type: 'functionRefused', function: 'shop/card', code }),
      )
    },
  )

  it('takes the time of its load from that of its first call', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: '(input, { deadline }) => ({ leftMs: deadline - Date.now() })' })
    const store: ArtifactStore = {
      ...bucket.store,
      get: async (key, options) => {
        if (key.startsWith('artifacts/')) await new Promise((go) => setTimeout(go, 500))
        return bucket.store.get(key, options)
      },
    }
    const runtime = await start(bucket, { source: { store }, loadAhead: 0 })
    const timeoutMs = 3000
    const { body } = await call(runtime, 'card')
    expect(Reflect.get(Object(body), 'leftMs')).toBeLessThan(timeoutMs - 490)
    const { body: warm } = await call(runtime, 'card')
    expect(Reflect.get(Object(warm), 'leftMs')).toBeGreaterThan(timeoutMs - 490)
  })

  it('waits for its code no longer than for an answer', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock(Date.now())
    await publish(bucket, 'card')
    const store: ArtifactStore = {
      ...bucket.store,
      get: (key, options) =>
        key.startsWith('artifacts/') ? new Promise(() => {}) : bucket.store.get(key, options),
    }
    const runtime = await start(bucket, { source: { store }, loadAhead: 0, clock })
    const answer = callUrl(runtime, '/shop/card')
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(5000)
    expect(await answer).toMatchObject({
      status: 503,
      headers: { 'retry-after': '1' },
      body: { error: { code: 'FUNCTION_LOADING' } },
    })
  })

  it('serves as soon as a store that was away is back', async () => {
    const bucket = await createTestEnvironment()
    await publish(bucket, 'card')
    let isAway = true
    const store: ArtifactStore = {
      ...bucket.store,
      get: (key, options) =>
        isAway && key.startsWith('artifacts/')
          ? Promise.reject(new RuntimeError('STORE_UNAVAILABLE', 'away'))
          : bucket.store.get(key, options),
    }
    const source = { store, pollIntervalMs: 5 }
    const runtime = await start(bucket, { source, loadAhead: 0 })
    expect((await call(runtime, 'card')).status).toBe(503)
    isAway = false
    await expect.poll(() => call(runtime, 'card')).toMatchObject({ status: 200 })
  })
})

it('a loaded function that changes is loaded before the swap, so that no call waits for it', async () => {
  const bucket = await createTestEnvironment()
  await publish(bucket, 'a', 'b')
  const runtime = await start(bucket, { loadAhead: 0 })
  await call(runtime, 'b')
  await bucket.publish({ a: await release(bucket, 'a', 2), b: await release(bucket, 'b', 2) })
  await runtime.refresh()
  expect(loaded(runtime)).toEqual(['b'])
  expect(await call(runtime, 'b')).toEqual({ status: 200, body: { v: 2 } })

  await bucket.publish({ b: await broken(bucket, 'b') })
  await runtime.refresh()
  expect(refusals(runtime, 'b')).toMatchObject([{ code: 'FUNCTION_THROWS_AT_LOAD' }])
  expect(await call(runtime, 'b')).toEqual({ status: 200, body: { v: 2 } })
})

it('a call that comes when the runtime is closed is told to try elsewhere, and nobody is blamed', async () => {
  const bucket = await createTestEnvironment()
  await publish(bucket, 'first', 'second')
  const told: string[] = []
  const runtime = await start(bucket, {
    loadAhead: 1,
    onEvent: ({ type }) => told.push(type),
  })
  await runtime.close()
  for (const name of ['first', 'second']) {
    expect(await call(runtime, name)).toMatchObject({
      status: 503,
      body: { error: { code: 'NOT_READY' } },
    })
    expect(refusals(runtime, name)).toEqual([])
  }
  expect(told).toEqual(['activated'])
})

describe('a function nobody calls', () => {
  it('leaves memory after a while, its timers too, and comes back with its next call', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock(Date.now())
    const ticks: string[] = []
    await bucket.publish({ busy: ticking('busy'), idle: ticking('idle') })
    const log = { ...silentLog, info: (message: string) => void ticks.push(message) }
    const options = { loadAhead: 0, evictAfterMs: 60_000, clock, log }
    const runtime = await start(bucket, options)
    expect((await call(runtime, 'idle')).body).toEqual({ n: 1 })
    expect((await call(runtime, 'idle')).body).toEqual({ n: 2 })
    for (let minute = 0; minute < 3; minute += 1) {
      await call(runtime, 'busy')
      await runtime.refresh()
      clock.advance(59_000)
    }
    expect(loaded(runtime)).toEqual(['busy'])
    ticks.length = 0
    await expect.poll(() => ticks).toContain('busy')
    expect(ticks).not.toContain('idle')
    expect((await call(runtime, 'idle')).body).toEqual({ n: 1 })
    expect(loaded(runtime)).toEqual(['busy', 'idle'])
  })

  it('leaves with the release that was kept for a rollback', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock(Date.now())
    const [one, two] = [await counter(bucket, 1), await counter(bucket, 2)]
    await bucket.publish({ card: one })
    const runtime = await start(bucket, { loadAhead: 0, evictAfterMs: 60_000, clock })
    await call(runtime, 'card')
    await bucket.publish({ card: after(two, one) })
    await runtime.refresh()
    for (let minute = 0; minute < 3; minute += 1) {
      await runtime.refresh()
      clock.advance(59_000)
    }
    expect(loaded(runtime)).toEqual([])
    await bucket.publish({ card: after(one, two) })
    await runtime.refresh()
    expect(await call(runtime, 'card')).toMatchObject({ body: { v: 1, calls: 1 } })
  })

  it('stays while no more than loadAhead are loaded', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock(Date.now())
    await publish(bucket, 'a', 'b')
    const runtime = await start(bucket, { loadAhead: 2, evictAfterMs: 60_000, clock })
    for (let minute = 0; minute < 3; minute += 1) {
      await runtime.refresh()
      clock.advance(61_000)
    }
    await runtime.refresh()
    expect(loaded(runtime)).toEqual(['a', 'b'])
  })
})

it.each([
  [0, [1, 1]],
  [1, [2, 1]],
  [2, [2, 2]],
])('keeps %i previous releases as they are for a rollback', async (warmPrevious, calls) => {
  const bucket = await createTestEnvironment()
  const [one, two, three] = [
    await counter(bucket, 1),
    await counter(bucket, 2),
    await counter(bucket, 3),
  ]
  await bucket.publish({ card: one })
  const runtime = await start(bucket, { warmPrevious })
  await call(runtime, 'card')
  const serve = async (stable: ReleaseRef, previous: ReleaseRef[]) => {
    await bucket.publish({ card: testFunctionState(stable, { previous }) })
    await runtime.refresh()
    return call(runtime, 'card')
  }
  await serve(two, [one])
  expect(await serve(three, [two, one])).toMatchObject({ body: { v: 3, calls: 1 } })
  expect(await serve(two, [one])).toMatchObject({ body: { v: 2, calls: calls[0] } })
  expect(await serve(one, [])).toMatchObject({ body: { v: 1, calls: calls[1] } })
})

describe('a restart from disk', () => {
  it('loads what was called lately, after it serves, and needs no store for it', async () => {
    const bucket = await createTestEnvironment()
    const clock = createManualClock(Date.now())
    await publish(bucket, 'a', 'b', 'c')
    const options = { loadAhead: 1, evictAfterMs: 600_000, clock }
    const before = await start(bucket, options)
    await call(before, 'c')
    // What is on its way to the disk would take the jump for a disk that hangs.
    await before.refresh()
    clock.advance(61_000)
    await before.refresh()

    const runtime = await restart(before, bucket, {
      ...options,
      source: { store: createMemoryStore(), cacheDirectory },
    })
    await expect.poll(() => loaded(runtime)).toEqual(['c'])
    expect(await call(runtime, 'b')).toEqual({ status: 200, body: { v: 1 } })
  })

  it('finds the code of what was called compiled, and forgets that of what is gone', async () => {
    const bucket = await createTestEnvironment()
    await publish(bucket, 'a', 'b')
    const runtime = await start(bucket)
    await call(runtime, 'a')
    await runtime.refresh()
    const [kept = ''] = await compiled()
    expect(await compiled()).toHaveLength(1)
    const written = await writtenAt(kept)

    const restarted = await restart(runtime, bucket)
    expect(await call(restarted, 'a')).toEqual({ status: 200, body: { v: 1 } })
    await restarted.refresh()
    expect(await compiled()).toEqual([kept])
    // It was loaded from there: one that V8 had to compile would have been written again.
    expect(await writtenAt(kept)).toBe(written)

    await bucket.publish({ b: await release(bucket, 'b', 2) })
    await restarted.refresh()
    expect(await compiled()).toEqual([])
  })
})
