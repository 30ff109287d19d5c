import { objectKey } from '@needle-faas/runtime/manifest'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'
import { ask, createOperatedEnvironment, type OperatedEnvironment } from './operated-environment.ts'

// A bucket that was emptied looks like one that nothing was published to, but for those who have seen
// otherwise: the instances, and what was told of it.

const outcomeSchema = z.object({
  alarms: z.array(z.object({ code: z.string(), text: z.string() })),
  notices: z.array(z.object({ status: z.string() })),
})

let on: OperatedEnvironment
beforeEach(async () => {
  on = await createOperatedEnvironment()
})
afterEach(() => on[Symbol.asyncDispose]())

async function loseManifests(): Promise<void> {
  const prefix = objectKey.historyPrefix('production')
  for await (const { key } of on.store.list(prefix)) await on.store.delete(key)
  await on.store.delete(objectKey.manifest('production'))
}

async function alarms() {
  return outcomeSchema.parse((await on.needle(['alarms', ...on.location, '--json'])).json())
}

test.each([
  ['status', () => on.location],
  ['history', () => on.location],
  ['trace', () => ['1', ...on.location]],
  ['doctor', () => on.location],
  ['rollout', () => on.operator],
])('needle %s tells of manifests that an instance runs and that are gone', async (command, by) => {
  await on.publish({ 'shop/card': 'card 1' })
  const instance = await on.startInstance('bff-1')
  await expect
    .poll(async () => (await on.needle(['status', ...on.location])).stdout)
    .toMatch(/bff-1 +version 1/)
  await loseManifests()
  const { exitCode, stdout, stderr } = await on.needle([command, ...by()])
  expect(stdout + stderr).toMatch(/MANIFEST_MISSING: .*production.* although bff-1 runs version 1/)
  expect(stdout + stderr).toContain('--raise-epoch')
  expect(exitCode).toBe(1)
  expect(await ask(instance, 'shop/card')).toBe('card 1')
})

test('manifests that are gone are an alarm, and end none of those that were told', async () => {
  await on.publish({ 'shop/card': 'card 1' })
  await on.needle(['stop', 'shop/card', '--reason', 'x', '--wait', '0', ...on.operator])
  await alarms()
  await loseManifests()
  const lost = await alarms()
  expect(lost.notices).toMatchObject([{ status: 'raised' }])
  expect(lost.alarms).toMatchObject([
    { code: 'FUNCTION_STOPPED' },
    { code: 'ENVIRONMENT_UNREADABLE', text: expect.stringContaining('version 2 was seen') },
  ])
})

test('an environment that nothing was published to is no alarm, and says so', async () => {
  await on.report('bff-1')
  const { exitCode, stdout } = await on.needle(['alarms', ...on.location])
  expect([exitCode, stdout]).toEqual([
    0,
    'No alarm in production: nothing was ever published there\n',
  ])
})
