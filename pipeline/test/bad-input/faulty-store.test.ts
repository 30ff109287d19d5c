import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Fault } from './faulty-s3.ts'
import {
  answerOf,
  createLiveEnvironment,
  type LiveEnvironment,
  readObjects,
} from './live-environment.ts'

// Builds and Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const publish = ['publish', '--build', '.needle/build-3']

let on: LiveEnvironment
beforeAll(async () => {
  on = await createLiveEnvironment()
})
afterAll(() => on[Symbol.asyncDispose]())

beforeEach(() => on.startAfresh())

/** Once the store works again, so does everything else. */
async function expectRecovery(): Promise<void> {
  on.s3.fault = 'none'
  expect((await on.needle(publish)).exitCode).toBe(0)
  expect((await on.needle(['doctor'])).exitCode).toBe(0)
  await on.bff.needle.refresh()
  expect(await on.answer()).toEqual(answerOf(3))
  expect(on.bff.needle.status().refusal).toBeNull()
}

test.each<[Fault, string]>([
  ['away', 'STORE_UNAVAILABLE'],
  ['slow', 'STORE_TIMEOUT'],
])('a store that is %s is %s to everyone, costs nothing and is waited for', async (fault, code) => {
  const before = await readObjects(on.store)
  on.s3.fault = fault
  // Together, because a deadline has to pass.
  const polled = on.bff.needle.refresh()
  const examined = on.needle(['doctor'])
  const runs = await Promise.all(
    [['status'], ['history'], publish, ['hold', 'shop/card', '--reason', 'fire']].map((args) =>
      on.needle(args),
    ),
  )
  for (const run of runs) {
    expect(run.stderr).toContain(`${code}: s3://bucket at http://127.0.0.1`)
    expect(run.stderr).toContain('Run it again once the store works')
    expect(run.exitCode).toBe(3)
  }
  await polled
  expect(await on.answer()).toEqual(answerOf(2))
  expect(on.bff.needle.status().refusal).toMatchObject({ code })
  expect(await readObjects(on.store)).toEqual(before)
  const { stdout, exitCode } = await examined
  expect(stdout).toContain(`BROKEN   trust: ${code}`)
  expect(exitCode).toBe(1)
  await expectRecovery()
})

test('a store that may only be read serves, and refuses publishers with STORE_READ_ONLY', async () => {
  const before = await readObjects(on.store)
  on.s3.fault = 'read-only'
  expect((await on.needle(['status'])).exitCode).toBe(0)
  for (const args of [publish, [...publish, '--single-writer']]) {
    const run = await on.needle(args)
    expect(run.stderr).toMatch(/STORE_READ_ONLY: .* write .*\.js(on)?; they need s3:PutObject/)
    expect(run.exitCode).toBe(3)
  }
  const doctor = await on.needle(['doctor'])
  expect(doctor.stdout).toContain('Check address, credentials and permissions')
  expect(doctor.exitCode).toBe(1)
  expect(await readObjects(on.store)).toEqual(before)

  const reporting = await on.startBff({}, { report: true })
  await reporting.needle.refresh()
  expect((await reporting.inject('/shop/card')).json()).toEqual(answerOf(2))
  await reporting.close()
  await expectRecovery()
})

// Compare-and-swap is not portable: minio#21526, apache/arrow-rs#6801, slatedb#1818.
describe.each<[Fault, string]>([
  ['refuses-conditions', 'refuses'],
  ['ignores-conditions', 'silently ignores'],
])('a store that %s', (fault, how) => {
  test('is refused for publishing, until a single writer is declared (minio#21526, arrow-rs#6801, slatedb#1818)', async () => {
    const before = await readObjects(on.store)
    on.s3.fault = fault
    const refused = await on.needle(publish)
    expect(refused.stderr).toContain(`STORE_IGNORES_CONDITIONS: s3://bucket ${how}`)
    expect(refused.stderr).toContain('--single-writer')
    expect(refused.exitCode).toBe(1)
    expect(await readObjects(on.store)).toEqual(before)
    const doctor = await on.needle(['doctor'])
    expect(doctor.stdout).toContain('Publishing needs --single-writer here')
    expect(doctor.exitCode).toBe(1)

    const published = await on.needle([...publish, '--single-writer'])
    expect(published.exitCode).toBe(0)
    await on.bff.needle.refresh()
    expect(await on.answer()).toEqual(answerOf(3))
    const held = ['hold', 'shop/card', '--reason', 'fire', '--single-writer']
    expect((await on.needle(held)).exitCode).toBe(0)
    expect((await on.needle(['status', '--json'])).json()).toMatchObject({
      pointer: 'current',
      manifest: { version: 4 },
    })
  })
})

test('a store that refuses current etags ends a publish with what to set, and the next completes it', async () => {
  on.s3.fault = 'refuses-etags'
  const run = await on.needle(publish)
  expect(run.stderr).toContain('STORE_NOT_CONDITIONAL: s3://bucket refuses to replace')
  expect(run.stderr).toContain('ifMatch=bare')
  expect(run.exitCode).toBe(3)
  const doctor = await on.needle(['doctor'])
  expect(doctor.stdout).toMatch(/BROKEN .*conditionalReplace.*ifMatch=bare/)
  expect(doctor.exitCode).toBe(1)
  await on.bff.needle.refresh()
  expect(await on.answer()).toEqual(answerOf(2))
  await expectRecovery()
})
