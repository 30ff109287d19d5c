import { openStore } from '@needle-faas/runtime/store'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { lookForAlarms } from '../../src/alarms/look-for-alarms.ts'
import { startReceiver } from '../../src/alarms/testing/receiver.ts'
import { nothingTold } from '../../src/alarms/told-record.ts'
import { fillStore, readStore } from '../bad-input/copy-store.ts'
import { type FaultyS3, startFaultyS3 } from '../bad-input/faulty-s3.ts'
import { publishCode } from '../publisher/environment-under-test.ts'
import {
  codeOf,
  createOperatedEnvironment,
  type OperatedEnvironment,
} from './operated-environment.ts'

const minute = 60_000

// The machine of the operator is right here, and everything else is wrong by as much.
describe.each([
  ['fast', -10 * minute],
  ['slow', 10 * minute],
])('an operator whose machine is ten minutes %s', (_, clockOffsetMs) => {
  let on: OperatedEnvironment
  let s3: FaultyS3
  let location: readonly string[]
  beforeEach(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'key').stubEnv('AWS_SECRET_ACCESS_KEY', 'secret')
    on = await createOperatedEnvironment()
    await on.publish({ 'shop/card': 'card 1' })
    s3 = await startFaultyS3()
    s3.clockOffsetMs = clockOffsetMs
    await fillStore(s3.contents, await readStore(on.store))
    location = ['--store', s3.url, '--trust', '../root.json']
    await on.startInstance('bff-1', { store: s3.contents })
    await vi.waitFor(async () => {
      const { stdout } = await on.needle(['status', ...location])
      if (!stdout.includes('instance bff-1')) throw new Error('it has not reported')
    })
  })
  afterEach(async () => {
    await on[Symbol.asyncDispose]()
    await s3.close()
    vi.unstubAllEnvs()
  })

  function stop() {
    const key = ['--key', '../operator.jwk.json', '--actor', 'Bo']
    return on.needle(['stop', 'shop/card', '--reason', 'floods', ...location, ...key])
  }

  test('sees live instances as live, and gets no false exit code', async () => {
    const { exitCode, stdout } = await stop()
    expect(stdout).toContain('1 of 1 instance runs version 2')
    expect(exitCode).toBe(0)
    const status = await on.needle(['status', ...location])
    expect(status.stdout).toMatch(/instance bff-1 +version 2 +up to date/)
    const trace = await on.needle(['trace', 'shop/card', ...location])
    expect(trace.stdout).toMatch(/instances +bff-1 \(stopped\)\n/)
  })

  test('moves a rollout when its time has come, and writes nothing to learn the time', async () => {
    const { access } = on.publisher
    const publisher = { ...on.publisher, access: { ...access, store: s3.contents } }
    const steps = [{ weightPercent: 10, bakeMs: 5 * minute }]
    await publishCode(
      publisher,
      on.trust,
      { 'shop/card': codeOf('card 2') },
      { canarySteps: steps },
    )
    const written: string[] = []
    s3.onWrite = (key) => void written.push(key)
    const key = ['--key', '../operator.jwk.json']
    const { stdout } = await on.needle(['rollout', ...location, ...key])
    expect(stdout).toMatch(/at 10 %: bakes for another [45] min/)
    expect(written.filter((each) => !each.includes('/instances/'))).toEqual([])
  })

  test('gets no false alarm, misses no true one, and signs at a time that receivers take', async () => {
    const { access } = on.publisher
    const store = await openStore(s3.url)
    const look = async (laterMs: number) => {
      const options = { access: { ...access, store }, told: nothingTold, webhook: null }
      const outcome = await lookForAlarms({ ...options, now: Date.now() + laterMs })
      return outcome.alarms.map(({ code }) => code)
    }
    expect(await look(0)).toEqual([])
    expect(await look(4 * minute)).toEqual(['INSTANCES_SILENT'])
    await store.close()

    await stop()
    const secret = 'a secret of enough bytes'
    await using receiver = await startReceiver(secret)
    const env = { NEEDLE_WEBHOOK_SECRET: secret }
    await on.needle(['alarms', '--webhook', receiver.url, ...location], env)
    expect(receiver.received).toMatchObject([{ body: { data: { code: 'FUNCTION_STOPPED' } } }])
    const skewMs = Number(receiver.received[0]?.timestamp) * 1000 - (Date.now() + clockOffsetMs)
    expect(Math.abs(skewMs)).toBeLessThan(minute)
  })
})
