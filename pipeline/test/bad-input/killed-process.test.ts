import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { objectKey } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, openStore } from '@needle-faas/runtime/store'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
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

/**
 * Kills a run while each of its writes is on its way, in turn, until one is left to end; resolves to
 * how often.
 */
async function killAtEachWrite(
  args: readonly string[],
  expectCompletion: () => Promise<void>,
): Promise<number> {
  for (let kills = 0; ; kills++) {
    await on.restore()
    const { process: killed, ended } = spawnNeedle(args, {
      cwd: on.repository.directory,
      env: on.env,
    })
    let writes = 0
    on.s3.onWrite = async () => {
      if (writes++ !== kills) return
      killed.kill('SIGKILL')
      await ended
    }
    const { code } = await ended
    on.s3.onWrite = () => undefined
    if (code === 0) return kills
    expect(code).toBeNull()
    await expectCompletion()
  }
}

test('needle publish killed at each of its writes leaves what verifies, and the next run completes it', async () => {
  const address = on.env['NEEDLE_STORE'] ?? ''
  const kills = await killAtEachWrite(publish, () => expectCompletion(on.store, address))
  // probe, artifact and map, release, build record, group, history, manifest
  expect(kills).toBe(8)
})

test.each([
  // probe, group, history, manifest
  ['stop', { after: 'FUNCTION_STOPPED', kills: 4, mode: 'stopped' }],
  // and the quarantine
  ['rollback', { after: answerOf(1), kills: 5, mode: 'revision' }],
])(
  'needle %s killed at each of its writes is done or not begun, and the same command completes it',
  async (command, expected) => {
    const order = [command, 'shop/card', '--reason', 'floods the ERP', '--wait', '0']
    const found: string[] = []
    const kills = await killAtEachWrite(order, async () => {
      expect([answerOf(2), expected.after]).toContainEqual(await servedOrRefused())
      const entry = await on.store.get(objectKey.history('production', 3), { maxBytes: 1e6 })
      found.push(entry.status)
      const run = await on.needle(order)
      const isDone = entry.status === 'found'
      expect(run.stdout).toContain(isDone ? 'already' : 'is at version 3')
      expect(run.exitCode).toBe(0)
      expect(await servedOrRefused()).toEqual(expected.after)
      const after = await on.needle(['status', '--json'])
      expect(after.json()).toMatchObject({
        pointer: 'current',
        manifest: { version: 3 },
        functions: { 'shop/card': { hold: { mode: expected.mode, reason: 'floods the ERP' } } },
      })
    })
    expect(kills).toBe(expected.kills)
    expect(new Set(found)).toEqual(new Set(['missing', 'found']))
  },
)

/** The code instead of an answer when there is none. */
async function servedOrRefused(): Promise<unknown> {
  const body = await served(on.store)
  const refusal = z.object({ error: z.object({ code: z.string() }) }).safeParse(body)
  return refusal.success ? refusal.data.error.code : body
}

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
