import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type InstanceReport, instanceReportSchema, objectKey } from '@needle-faas/runtime/manifest'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { fillStore, readStore } from '../bad-input/copy-store.ts'
import {
  answerOf,
  cardThat,
  createLiveEnvironment,
  type LiveEnvironment,
} from '../bad-input/live-environment.ts'
import { spawnNeedle } from '../bad-input/needle-process.ts'

// Each kill is a process of its own: seconds on a busy machine.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 })

let on: LiveEnvironment
let env: Readonly<Record<string, string>>
/** The store with a canary that a BFF has stopped. */
let tripped: ReadonlyMap<string, Uint8Array>
beforeAll(async () => {
  on = await createLiveEnvironment()
  const key = join(on.repository.directory, '.needle/keys/operator.jwk.json')
  env = { ...on.env, NEEDLE_OPERATOR_KEY: await readFile(key, 'utf8') }
  await tripCanary()
  tripped = await readStore(on.store)
})
afterAll(() => on[Symbol.asyncDispose]())

/** A canary that a real BFF has stopped, as its report in the store says. */
async function tripCanary(): Promise<void> {
  await on.repository.commit(cardThat(`if (Math.max(1) === 1) throw new Error('bad')`), 'Bad card')
  for (const args of [
    ['build', '--environment', 'production', '--out', '.needle/bad'],
    ['publish', '--build', '.needle/bad', '--canary', '50'],
  ]) {
    const { exitCode, stderr } = await on.needle(args)
    if (exitCode !== 0) throw new Error(stderr)
  }
  const bff = await on.startBff({}, { report: true })
  for (let user = 0; user < 100; user++) {
    await bff.inject({ url: '/shop/card', headers: { 'x-needle-key': `user-${user}` } })
  }
  await vi.waitFor(async () => {
    const [report] = await readReports()
    expect(report?.functions['shop/card']?.rollout?.trip).not.toBeNull()
    expect(report?.functions['shop/card']?.canary).toBeNull()
  }, 30_000)
}

async function readReports(): Promise<readonly InstanceReport[]> {
  const prefix = objectKey.instancePrefix('production')
  const stored = [...(await readStore(on.store))].filter(([key]) => key.startsWith(prefix))
  return stored.map(([, bytes]) =>
    instanceReportSchema.parse(JSON.parse(new TextDecoder().decode(bytes))),
  )
}

/** What a round that aborts writes, in this order. */
const writes = ['probe', 'groups', 'quarantine', 'history', 'manifest']

/** `needle rollout` on the tripped canary, as a process; `onWrite` is told of each document before it is there. */
async function round(onWrite: (document: string, kill: () => Promise<void>) => Promise<void>) {
  await fillStore(on.store, tripped)
  const controller = spawnNeedle(['rollout'], { cwd: on.repository.directory, env })
  const kill = async (): Promise<void> => {
    controller.process.kill('SIGKILL')
    await controller.ended
  }
  on.s3.onWrite = async (key) => {
    const document = /production\/([a-z]+)/.exec(key)?.[1] ?? key
    // Those of the BFF are its own.
    if (document !== 'instances') await onWrite(document, kill)
  }
  const { code } = await controller.ended
  on.s3.onWrite = () => undefined
  return code
}

test('needle rollout aborts a canary that tripped in so many writes', async () => {
  const seen: string[] = []
  const code = await round(async (document) => {
    seen.push(document)
  })
  expect(code).toBe(1)
  expect(seen).toEqual(writes)
})

test.each(writes)('killed at its write of %s, it is completed by the next, once', async (last) => {
  const code = await round(async (document, kill) => {
    if (document === last) await kill()
  })
  expect(code).toBeNull()

  const next = await on.needle(['rollout', '--json'], env)
  expect(next.stderr).toContain('done')
  const status = await on.needle(['status', '--json'], env)
  expect(status.json()).toMatchObject({
    pointer: 'current',
    manifest: { version: 4 },
    functions: { 'shop/card': { rollout: null, hold: { endsWithMerge: true } } },
  })
  const later = await on.store.get(objectKey.history('production', 5), { maxBytes: 1 })
  expect(later.status).toBe('missing')
  const bff = await on.startBff()
  expect((await bff.inject('/shop/card')).json()).toEqual(answerOf(2))
})
