import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { objectKey } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, openStore } from '@needle-faas/runtime/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { copyStore } from './copy-store.ts'
import { answerOf, createLiveEnvironment, type LiveEnvironment } from './live-environment.ts'
import { spawnNeedle } from './needle-process.ts'

// Each kill is a process of its own: seconds on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

const publish = ['publish', '--build', '.needle/build-3']

let on: LiveEnvironment
beforeAll(async () => {
  on = await createLiveEnvironment()
})
afterAll(() => on[Symbol.asyncDispose]())

/** What a BFF that starts now serves; it verifies all it loads. */
async function served(store: ArtifactStore): Promise<unknown> {
  const bff = await on.startBff({ store })
  const response = await bff.inject('/shop/card')
  expect(bff.needle.status()).toMatchObject({ refusal: null, functions: [{ refusals: [] }] })
  await bff.close()
  return response.json()
}

/** A publish that nobody disturbs completes what the dead one began. */
async function expectCompletion(store: ArtifactStore, address: string): Promise<void> {
  expect([answerOf(2), answerOf(3)]).toContainEqual(await served(store))
  const run = await on.needle(publish, { NEEDLE_STORE: address })
  expect(run.stderr).toContain('done')
  expect(run.exitCode).toBe(0)
  expect(await served(store)).toEqual(answerOf(3))
  const after = await on.needle(['status', '--json'], { NEEDLE_STORE: address })
  expect(after.json()).toMatchObject({ pointer: 'current', manifest: { version: 3 } })
  const next = await store.get(objectKey.history('production', 4), { maxBytes: 1 })
  expect(next.status).toBe('missing')
}

test('needle publish killed at each of its writes leaves what verifies, and the next run completes it', async () => {
  let kills = 0
  for (let n = 1; ; n++) {
    await on.restore()
    const { process: publisher, ended } = spawnNeedle(publish, {
      cwd: on.repository.directory,
      env: on.env,
    })
    let writes = 0
    on.s3.onWrite = async () => {
      writes++
      if (writes !== n) return
      publisher.kill('SIGKILL')
      await ended
    }
    const { code } = await ended
    on.s3.onWrite = () => undefined
    if (code === 0) break
    expect(code).toBeNull()
    kills++
    await expectCompletion(on.store, on.env['NEEDLE_STORE'] ?? '')
  }
  // probe, artifact and map, release, build record, group, history, manifest
  expect(kills).toBe(8)
})

test('needle publish killed at stepped moments on a file store loses nothing', async () => {
  const directory = join(on.repository.directory, '.needle/file-store')
  const address = `file:${directory}`
  const env = { ...on.env, NEEDLE_STORE: address }
  const store = await openStore(address)
  const refill = async (): Promise<void> => {
    await on.restore()
    await rm(directory, { recursive: true, force: true })
    await copyStore(on.store, store)
  }
  const isBegun = async (): Promise<boolean> => {
    const prefix = 'environments/production/probe.json'
    for await (const { key } of store.list(prefix)) return key === prefix
    return false
  }

  let kills = 0
  for (let step = 0; step < 8; step++) {
    await refill()
    await store.delete('environments/production/probe.json')
    const { process: publisher, ended } = spawnNeedle(publish, {
      cwd: on.repository.directory,
      env,
    })
    // Its first write is the mark from which the steps are counted.
    while (!(await isBegun()) && publisher.exitCode === null) await delay(1)
    await delay(step * 6)
    publisher.kill('SIGKILL')
    const { code } = await ended
    if (code === null) kills++
    await expectCompletion(store, address)
  }
  // How many came in time depends on the disk; the first one does on any.
  expect(kills).toBeGreaterThan(0)
  await store.close()
})
