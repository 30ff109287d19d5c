import { readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest'
import type { Clock } from '../src/clock.ts'
import type { Logger } from '../src/function/authoring/function-context.ts'
import { bundle } from '../src/function/testing/revision-fixture.ts'
import { digestOf } from '../src/manifest/digest.ts'
import { objectKey } from '../src/manifest/object-key.ts'
import { testFunctionState } from '../src/manifest/testing/test-documents.ts'
import type { Runtime } from '../src/runtime.ts'
import type { RuntimeOptions, SourceOptions } from '../src/runtime-options.ts'
import type { RuntimeEvent } from '../src/sync/status.ts'
import type { ArtifactStore } from '../src/store/artifact-store.ts'
import { createFileStore } from '../src/store/file.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import { call } from './support/call.ts'
import { recordReads } from './support/record-reads.ts'
import { openRuntime, startRuntime } from './support/start-runtime.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createManualClock } from './support/manual-clock.ts'
import { silentLog } from './support/silent-log.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'
import { withhold } from './support/withhold.ts'

let cacheDirectory: string
beforeEach(async () => {
  cacheDirectory = await createTemporaryDirectory()
})

const answer = async (runtime: Runtime): Promise<unknown> => (await call(runtime)).body

const start = (
  bucket: TestEnvironment,
  source: Partial<SourceOptions> = {},
  options: Partial<RuntimeOptions> = {},
): Promise<Runtime> => startRuntime(bucket, { ...options, source: { cacheDirectory, ...source } })

/** What a start leaves behind for the next one. */
async function startAndStop(bucket: TestEnvironment, options = {}): Promise<void> {
  await (await start(bucket, {}, options)).close()
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

/** Version 3 was served before; now the store shows version 2 again. */
async function createRewoundEnvironment(): Promise<TestEnvironment> {
  const bucket = await createTestEnvironment()
  await firstCard(bucket)
  const old = await bucket.publish({ card: 'async () => 0' })
  await bucket.publish({ card: 'async () => ({ v: 3 })' })
  await startAndStop(bucket)
  await bucket.store.put(objectKey.manifest('production'), old)
  return bucket
}

const refusedAsOlder = { manifest: { version: 3 }, refusal: { code: 'MANIFEST_OLDER' } }

describe('a start', () => {
  it.each([
    ['empty', emptyStore],
    ['hanging', hangingStore],
  ])('serves from disk while the store is %s', async (_title, store) => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await startAndStop(bucket)

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
    expect(await call(runtime)).toMatchObject({ status: 503, errorCode: 'NOT_READY' })

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
    await runtime.close()
  })

  it('refuses from the store what is older than what it has seen before the restart', async () => {
    const restarted = await start(await createRewoundEnvironment())
    await restarted.refresh()
    expect(restarted.status()).toMatchObject(refusedAsOlder)
    expect(await answer(restarted)).toEqual({ v: 3 })
  })

  it.each([
    ['minVersion', false],
    ['a minVersion that was raised since it ran before', true],
  ])('takes nothing below %s', async (_title, ranBefore) => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    if (ranBefore) await startAndStop(bucket)
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
    await startAndStop(bucket, { clock: june })

    const july = createManualClock(Date.parse('2026-07-01T00:00:00Z'))
    const restarted = await start(bucket, {}, { clock: july })
    expect(await answer(restarted)).toEqual({ v: 1 })
    expect(restarted.status()).toMatchObject({ state: 'ready', frozen: true })
  })

  it('serves an expired manifest without a disk, frozen and with an alarm, but takes no other one', async () => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', 'async () => ({ v: 1 })')
    const expired = { manifest: { expiresAt: '2026-06-02T00:00:00Z' } }
    await bucket.publish({ card }, expired)
    const clock = createManualClock(Date.parse('2026-07-01T00:00:00Z'))
    const frozen: string[] = []
    const runtime = await start(
      bucket,
      { cacheDirectory: undefined },
      {
        clock,
        onEvent: (event) => {
          if (event.type === 'frozen') frozen.push(event.message)
        },
      },
    )
    expect(await answer(runtime)).toEqual({ v: 1 })
    expect(runtime.status()).toMatchObject({
      state: 'ready',
      frozen: true,
      refusal: null,
      alarms: [{ code: 'MANIFEST_EXPIRED', message: frozen[0] }],
    })
    expect(runtime.metrics()).toContain('\nneedle_alarms 1\n')
    expect(frozen).toEqual([expect.stringContaining('needle refresh')])

    const next = await bucket.release('shop/card', 'async () => ({ v: 2 })')
    await bucket.publish({ card: next }, expired)
    await runtime.refresh()
    expect(runtime.status().refusal).toMatchObject({ code: 'MANIFEST_EXPIRED' })
    expect(await answer(runtime)).toEqual({ v: 1 })

    await bucket.publish({ card: next })
    await runtime.refresh()
    expect(runtime.status()).toMatchObject({ frozen: false, refusal: null })
    expect(await answer(runtime)).toEqual({ v: 2 })
  })

  it('completes an expired manifest: an artifact that comes late still serves', async () => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', 'async () => ({ v: 1 })')
    const putBack = await withhold(bucket.store, objectKey.artifact(card.artifact))
    await bucket.publish({ card }, { manifest: { expiresAt: '2026-06-02T00:00:00Z' } })
    const clock = createManualClock(Date.parse('2026-07-01T00:00:00Z'))
    const runtime = openRuntime(bucket, { clock })
    const started = runtime.start()
    await runtime.refresh()
    expect(await call(runtime)).toMatchObject({ status: 503 })

    await putBack()
    clock.advance(60_000)
    await runtime.refresh()
    await started
    expect(await answer(runtime)).toEqual({ v: 1 })
  })

  it('refuses what is older than the manifest on disk although the record of it was damaged', async () => {
    const bucket = await createRewoundEnvironment()
    await writeFile(path.join(cacheDirectory, 'production/state.json'), '{"highestSeen":')
    const restarted = await start(bucket)
    await restarted.refresh()
    expect(restarted.status()).toMatchObject(refusedAsOlder)
    expect(await answer(restarted)).toEqual({ v: 3 })
  })

  it('does not poll beside the boot from disk when somebody refreshes at once', async () => {
    const runtime = openRuntime(await createRewoundEnvironment(), { source: { cacheDirectory } })
    const refreshed = runtime.refresh()
    await Promise.all([runtime.start(), refreshed])
    expect(runtime.status()).toMatchObject(refusedAsOlder)
  })

  it('goes on polling although the listener to its events throws', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    const runtime = await start(
      bucket,
      {},
      {
        onEvent: () => {
          throw new Error('the dashboard is down')
        },
      },
    )
    await bucket.publish({ card: 'async () => ({ v: 2 })' })
    await runtime.refresh()
    expect(await answer(runtime)).toEqual({ v: 2 })
    expect(runtime.status().refusal).toBeNull()
  })

  it('says once that there is no manifest yet, and what to do', async () => {
    const bucket = await createTestEnvironment()
    const lines: unknown[][] = []
    const log: Logger = { ...silentLog, warn: (...line) => void lines.push(line) }
    const runtime = await start(bucket, { bootDeadlineMs: 20 }, { log })
    for (let polls = 0; polls < 5; polls++) await runtime.refresh()
    expect(lines).toEqual([
      [
        'Needle found no manifest; it waits for one',
        {
          code: 'MANIFEST_MISSING',
          message:
            'memory: has no environments/production/manifest.json. Publish to "production" once, or correct the environment or the store.',
        },
      ],
    ])
  })

  it('meets the first manifest within a poll interval, however long it waited for it', async () => {
    const bucket = await createTestEnvironment()
    const runtime = await start(bucket, {
      cacheDirectory: undefined,
      bootDeadlineMs: 20,
      pollIntervalMs: 20,
    })
    // Backed off from, so many fruitless polls would have made the next one wait for up to a minute.
    for (let polls = 0; polls < 20; polls++) await runtime.refresh()
    await new Promise((go) => setTimeout(go, 150))
    await firstCard(bucket)
    await Promise.race([
      runtime.ready(),
      new Promise((_resolve, reject) => setTimeout(reject, 2_000, new Error('too late'))),
    ])
    expect(await answer(runtime)).toEqual({ v: 1 })
  })

  it('closes at once although its store is still being opened', async () => {
    const bucket = await createTestEnvironment()
    const source = { store: hangingStore, bootDeadlineMs: 60_000 }
    const runtime = openRuntime(bucket, { source })
    const starting = runtime.start()
    const begun = performance.now()
    await runtime.close()
    await starting
    expect(performance.now() - begun).toBeLessThan(5_000)
  })

  it('keeps the previous release warm after a restart too, so that a rollback needs no store', async () => {
    const bucket = await createTestEnvironment()
    const card = await firstCard(bucket)
    const next = await bucket.release('shop/card', 'async () => ({ v: 2 })')
    await bucket.publish({ card: testFunctionState(next, { previous: [card] }) })
    await startAndStop(bucket)
    const restarted = await start(bucket)
    const cached = path.join(cacheDirectory, 'production', objectKey.artifact(card.artifact))
    await expect.poll(() => readFile(cached, 'utf8').catch(() => null)).toContain('v: 1')

    await rm(cached)
    await bucket.store.delete(objectKey.artifact(card.artifact))
    await bucket.publish({ card })
    await restarted.refresh()
    expect(await answer(restarted)).toEqual({ v: 1 })
  })

  it('maps stacks to the sources without the store', async () => {
    // Or the maps are fetched seconds later.
    const random = vi.spyOn(Math, 'random').mockReturnValue(0)
    onTestFinished(() => random.mockRestore())
    const bucket = await createTestEnvironment()
    const { source, map } = await bundle(
      'export default async () => {\n  throw new Error("here")\n}',
    )
    const card = await bucket.release('shop/card', '', { script: source, sourceMap: map })
    await bucket.publish({ card })
    const before = await start(bucket)
    const kept = path.join(cacheDirectory, 'production', objectKey.sourceMap(card.artifact))
    await expect.poll(() => readFile(kept, 'utf8').catch(() => null)).toBe(map)
    await before.close()

    const errors: unknown[] = []
    const log: Logger = { ...silentLog, error: (_message, fields) => void errors.push(fields) }
    const restarted = await start(bucket, { store: emptyStore }, { log })
    expect((await call(restarted)).status).toBe(500)
    await expect.poll(() => JSON.stringify(errors)).toContain('index.ts:2:9')
  })

  it('fetches source maps at a random moment within ten seconds, after what is in a hurry', async () => {
    const random = vi.spyOn(Math, 'random').mockReturnValue(0.8)
    onTestFinished(() => random.mockRestore())
    const bucket = await createTestEnvironment()
    const { source, map } = await bundle('export default async () => 1')
    const card = await bucket.release('shop/card', '', { script: source, sourceMap: map })
    await bucket.publish({ card })
    const { store, read } = recordReads(bucket.store)
    const clock = createManualClock(Date.now())
    const sleeps: number[] = []
    const sleep: Clock['sleep'] = (delayMs, signal) => {
      sleeps.push(delayMs)
      return clock.sleep(delayMs, signal)
    }
    await start(bucket, { store }, { clock: { ...clock, sleep } })
    await expect.poll(() => sleeps).toContain(8_000)
    expect(read).not.toContain(objectKey.sourceMap(card.artifact))
    clock.advance(8_000)
    await expect.poll(() => read).toContain(objectKey.sourceMap(card.artifact))
  })

  it('verifies the disk again: an altered manifest there is not served', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await startAndStop(bucket)
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

  it('runs nothing of a release no trusted key signed, though the manifest names it and the disk calls it good', async () => {
    const bucket = await createTestEnvironment()
    const card = await firstCard(bucket)
    const before = await start(bucket)
    const forged = await bucket.release('shop/card', 'async () => ({ v: "forged" })', {
      signer: bucket.trust.signers.operator,
    })
    await bucket.publish({ card: testFunctionState(forged, { previous: [card] }) })
    await before.refresh()
    expect(await answer(before)).toEqual({ v: 1 })
    await before.close()
    const file = path.join(cacheDirectory, 'production/state.json')
    const state: unknown = JSON.parse(await readFile(file, 'utf8'))
    expect(state).toMatchObject({ lastGood: { 'shop/card': { release: card.release } } })
    const altered = { ...Object(state), lastGood: { 'shop/card': forged } }
    await writeFile(file, JSON.stringify(altered))
    const artifact = objectKey.artifact(forged.artifact)
    const found = await bucket.store.get(artifact, { maxBytes: 1_000_000 })
    if (found.status !== 'found') throw new Error('unreachable')
    await writeFile(path.join(cacheDirectory, 'production', artifact), found.bytes)

    const restarted = await start(bucket, { store: emptyStore })
    expect(await answer(restarted)).toEqual({ v: 1 })
    await expect
      .poll(() => restarted.status().functions[0]?.refusals)
      .toMatchObject([{ code: 'SIGNER_WRONG_ROLE', release: forged.release }])
  })

  it('reads many releases at once, and those that file does not have from their own', async () => {
    const bucket = await createTestEnvironment()
    const names = Array.from({ length: 30 }, (_, index) => `card-${index}`)
    await bucket.publish(
      Object.fromEntries(names.map((name, index) => [name, `async () => ({ v: ${index} })`])),
    )
    const before = await start(bucket)
    const directory = path.join(cacheDirectory, 'production')
    const pack = path.join(directory, 'releases.ndjson')
    const linesOf = async () => (await readFile(pack, 'utf8').catch(() => '')).trimEnd().split('\n')
    await expect.poll(linesOf).toHaveLength(30)
    await before.close()
    const lines = await linesOf()
    const [damaged = '', ...intact] = lines
    await writeFile(pack, [damaged.replace('"payload"', '"Payload"'), ...intact, ''].join('\n'))
    for (const line of intact) await rm(path.join(directory, objectKey.release(digestOf(line))))

    const restarted = await start(bucket, { store: emptyStore })
    expect(restarted.status().functions).toHaveLength(30)
    expect(restarted.status().functions.flatMap(({ refusals }) => refusals)).toEqual([])
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
    await before.close()

    const restarted = await start(bucket, { store: emptyStore })
    expect(await answer(restarted)).toEqual({ v: 1 })
    expect(restarted.status().functions[0]?.refusals).toMatchObject([
      { code: 'FUNCTION_THROWS_AT_LOAD' },
    ])
  })

  it('serves although it cannot read what it remembered of crashes, and says so', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await startAndStop(bucket)
    const file = path.join(cacheDirectory, 'production/crashes.json')
    expect(await readFile(file, 'utf8')).toContain('"proven":')
    await writeFile(file, '\0\0\0\n')
    const told: RuntimeEvent[] = []
    const restarted = await start(bucket, {}, { onEvent: (event) => told.push(event) })
    expect(await answer(restarted)).toEqual({ v: 1 })
    expect(told).toContainEqual({
      type: 'cacheUnusable',
      message: expect.stringContaining(`${file} cannot be read: line 1 is no entry`),
    })
    expect(restarted.status().alarms).toEqual([])
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
  it('had on disk which manifest that was before it read any release of it', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    const state = path.join(cacheDirectory, 'production/state.json')
    const found: string[] = []
    const store: ArtifactStore = {
      ...bucket.store,
      get: async (key, options) => {
        if (key.startsWith('releases/')) found.push(await readFile(state, 'utf8'))
        return bucket.store.get(key, options)
      },
    }
    const runtime = await start(bucket, { store })
    expect(await answer(runtime)).toEqual({ v: 1 })
    expect(found.map((text) => JSON.parse(text))).toMatchObject([
      { highestSeen: { epoch: 1, version: 1 }, unfinished: { attempts: 1 } },
    ])
  })

  it('boots on what was activated last, and tries the unfinished one again later', async () => {
    const bucket = await createTestEnvironment()
    await firstCard(bucket)
    await startAndStop(bucket)
    const next = await bucket.publish({ card: 'async () => ({ v: 2 })' })
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
    const told: RuntimeEvent[] = []
    const restarted = await start(bucket, {}, { clock, onEvent: (event) => told.push(event) })
    await restarted.refresh()
    await restarted.refresh()
    expect(await answer(restarted)).toEqual({ v: 1 })
    const message = expect.stringMatching(/ended 2 times in a row .*version 2.*tried again at 20/)
    expect(restarted.status().alarms).toMatchObject([{ code: 'ACTIVATION_UNFINISHED', message }])
    expect(told.filter(({ type }) => type === 'heldBack')).toEqual([
      { type: 'heldBack', version: 2, message },
    ])

    clock.advance(20_000)
    await restarted.refresh()
    expect(await answer(restarted)).toEqual({ v: 2 })
    expect(restarted.status().alarms).toEqual([])
  })
})

describe('ready()', () => {
  it.each(['before it is started', 'before anything serves'])(
    'rejects when the runtime is closed %s',
    async (when) => {
      const bucket = await createTestEnvironment()
      const runtime = openRuntime(bucket, { source: { bootDeadlineMs: 20 }, watchdog: false })
      const ready = runtime.ready().catch((error: unknown) => error)
      if (when === 'before anything serves') await runtime.start()
      await runtime.close()
      expect(await ready).toMatchObject({ code: 'RUNTIME_CLOSED' })
    },
  )
})

it.each([true, false])('starts no more once it is closed; started before: %s', async (started) => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => ({ v: 1 })' })
  const runtime = openRuntime(bucket)
  if (started) await runtime.start()
  await runtime.close()
  await expect(runtime.start()).rejects.toMatchObject({
    code: 'RUNTIME_CLOSED',
    message: expect.stringContaining('createRuntime()'),
  })
})
