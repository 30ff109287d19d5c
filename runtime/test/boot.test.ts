import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { digestOf } from '../src/manifest/digest.ts'
import { createRuntime, type Runtime } from '../src/runtime.ts'
import type { RuntimeOptions, SourceOptions } from '../src/runtime-options.ts'
import type { ArtifactStore } from '../src/store/artifact-store.ts'
import { createFileStore } from '../src/store/file.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import {
  createManualClock,
  createTestEnvironment,
  silentLog,
  type TestEnvironment,
} from './support/test-environment.ts'

const opened: Runtime[] = []
let cacheDirectory: string

beforeEach(async () => {
  cacheDirectory = await mkdtemp(path.join(tmpdir(), 'needle-cache-'))
})

afterEach(async () => {
  for (const runtime of opened.splice(0)) await runtime.close()
  await rm(cacheDirectory, { recursive: true, force: true })
})

const call = {
  requestId: 'r1',
  method: 'GET',
  url: '/shop/card',
  headers: {},
  body: null,
  caller: {},
}

async function answer(runtime: Runtime): Promise<unknown> {
  const { body } = await runtime.handle(call)
  return typeof body === 'string' ? JSON.parse(body) : body
}

async function start(
  bucket: TestEnvironment,
  source: Partial<SourceOptions> = {},
  options: Partial<RuntimeOptions> = {},
): Promise<Runtime> {
  const runtime = createRuntime({
    source: { store: bucket.store, cacheDirectory, ...source },
    groups: ['shop'],
    trust: bucket.trust.rootBytes,
    log: silentLog,
    report: false,
    ...options,
  })
  opened.push(runtime)
  await runtime.start()
  return runtime
}

async function stop(runtime: Runtime): Promise<void> {
  opened.splice(opened.indexOf(runtime), 1)
  await runtime.close()
}

/** A store that is there but never answers, and ignores that nobody waits any more. */
const hangingStore: ArtifactStore = {
  ...createMemoryStore(),
  get: () => new Promise(() => {}),
}

const emptyStore = createMemoryStore()

async function firstCard(bucket: TestEnvironment) {
  const card = await bucket.release('shop/card', 'async () => ({ v: 1 })')
  await bucket.publish({ card })
  return card
}

describe('a start', () => {
  it.each([
    ['empty', emptyStore],
    ['hanging', hangingStore],
  ])('serves from disk while the store is %s', async (_title, store) => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await stop(await start(bucket))

    const begun = performance.now()
    const restarted = await start(bucket, { store, bootDeadlineMs: 60_000 })
    expect(performance.now() - begun).toBeLessThan(5_000)
    expect(await answer(restarted)).toEqual({ v: 1 })
    expect(restarted.status()).toMatchObject({ state: 'ready', manifest: { version: 1 } })
  })

  it('takes from a real directory what a publisher puts there', async () => {
    const bucket = await createTestEnvironment(createFileStore(path.join(cacheDirectory, 'bucket')))
    await firstCard(bucket)
    const runtime = await start(bucket, { store: `file:${path.join(cacheDirectory, 'bucket')}` })
    expect(await answer(runtime)).toEqual({ v: 1 })
  })

  it('answers 503 NOT_READY without disk and store, and serves once the store is there', async () => {
    const bucket = await createTestEnvironment()
    const runtime = await start(bucket, { cacheDirectory: undefined, bootDeadlineMs: 20 })
    await runtime.refresh()
    expect(runtime.status()).toMatchObject({
      state: 'notReady',
      refusal: { code: 'MANIFEST_MISSING' },
    })
    expect(await runtime.handle(call)).toMatchObject({ status: 503, errorCode: 'NOT_READY' })

    await firstCard(bucket)
    await runtime.refresh()
    await runtime.ready()
    expect(await answer(runtime)).toEqual({ v: 1 })
  })

  it('does not wait for a hanging store longer than its deadline, and closes while it hangs', async () => {
    const bucket = await createTestEnvironment()
    const runtime = await start(bucket, {
      store: hangingStore,
      cacheDirectory: undefined,
      bootDeadlineMs: 20,
    })
    expect(runtime.status().state).toBe('notReady')
    await stop(runtime)
  })

  it('refuses from the store what is older than what it has seen before the restart', async () => {
    const bucket = await createTestEnvironment()
    const card = await firstCard(bucket)
    const old = await bucket.publish({ card })
    await bucket.publish({ card: await bucket.release('shop/card', 'async () => ({ v: 3 })') })
    await stop(await start(bucket))

    await bucket.store.put('environments/production/manifest.json', old)
    const restarted = await start(bucket)
    await restarted.refresh()
    expect(restarted.status()).toMatchObject({
      manifest: { version: 3 },
      refusal: { code: 'MANIFEST_OLDER' },
    })
    expect(await answer(restarted)).toEqual({ v: 3 })
  })

  it('takes nothing below minVersion', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    const runtime = await start(bucket, { minVersion: 2, bootDeadlineMs: 50 })
    await runtime.refresh()
    expect(runtime.status()).toMatchObject({
      state: 'notReady',
      refusal: { code: 'MANIFEST_BELOW_MINIMUM' },
    })
  })

  it('serves what is on disk although it has expired, frozen', async () => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', 'async () => ({ v: 1 })')
    await bucket.publish({ card }, { manifest: { expiresAt: '2026-06-02T00:00:00Z' } })
    const june = createManualClock(Date.parse('2026-06-01T00:00:00Z'))
    await stop(await start(bucket, {}, { clock: june }))

    const july = createManualClock(Date.parse('2026-07-01T00:00:00Z'))
    const restarted = await start(bucket, {}, { clock: july })
    expect(await answer(restarted)).toEqual({ v: 1 })
    expect(restarted.status()).toMatchObject({ state: 'ready', frozen: true })
  })

  it('verifies the disk again: an altered manifest there is not served', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await stop(await start(bucket))
    const file = path.join(cacheDirectory, 'production/environments/production/manifest.json')
    await writeFile(file, '{"payload":"e30","signatures":[]}')
    const restarted = await start(bucket, { store: emptyStore, bootDeadlineMs: 50 })
    await restarted.refresh()
    expect(restarted.status().state).toBe('notReady')
    expect(restarted.status().alarms).toMatchObject([
      { code: 'MANIFEST_MISSING' },
      { code: 'DOCUMENT_UNSIGNED' },
    ])
  })

  it('keeps the last good release of a function whose new one was refused before the restart', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    const before = await start(bucket)
    await bucket.publish({
      card: await bucket.release('shop/card', '', { script: 'throw new Error("poison")' }),
    })
    await before.refresh()
    expect(await answer(before)).toEqual({ v: 1 })
    await stop(before)

    const restarted = await start(bucket, { store: emptyStore })
    expect(await answer(restarted)).toEqual({ v: 1 })
    expect(restarted.status().functions[0]?.refusals).toMatchObject([
      { code: 'FUNCTION_THROWS_AT_LOAD' },
    ])
  })

  it('serves with a cache directory it cannot use, and says so', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    const file = path.join(cacheDirectory, 'a-file')
    await writeFile(file, 'in the way')
    const runtime = await start(bucket, { cacheDirectory: file })
    expect(await answer(runtime)).toEqual({ v: 1 })
    expect(runtime.status().alarms).toMatchObject([{ code: 'CACHE_UNUSABLE' }])
  })
})

describe('a process that was killed in the middle of an activation', () => {
  it('boots on what was activated last, and tries the unfinished one again later', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await stop(await start(bucket))
    const next = await bucket.publish({
      card: await bucket.release('shop/card', 'async () => ({ v: 2 })'),
    })
    const digest = digestOf(next)
    const state = path.join(cacheDirectory, 'production/state.json')
    await writeFile(
      state,
      JSON.stringify({
        highestSeen: { epoch: 1, version: 2, digest },
        lastGood: {},
        unfinished: { digest, attempts: 2 },
      }),
    )

    const clock = createManualClock()
    const restarted = await start(bucket, {}, { clock })
    await restarted.refresh()
    expect(await answer(restarted)).toEqual({ v: 1 })

    clock.advance(20_000)
    await restarted.refresh()
    expect(await answer(restarted)).toEqual({ v: 2 })
  })
})
