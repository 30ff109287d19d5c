import { openStore } from '@needle-faas/runtime/store'
import { expect, test, vi } from 'vitest'
import { readHistoryVersions } from './environment-under-test.ts'
import { createPublishedRepository } from './published-repository.ts'

// Many Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

test('processes that publish at the same moment both get their change live', async () => {
  await using on = await createPublishedRepository()
  const names = ['a', 'b', 'c', 'd'].map((name) => `shop/${name}`)
  await on.publish(Object.fromEntries(names.map((name) => [name, '1'])))
  const outcomes = await Promise.all(
    names.map((name) => on.spawnNeedle(['hold', name, '--stop', '--reason', 'at once'])),
  )
  expect(outcomes.map((outcome) => outcome.exitCode)).toEqual([0, 0, 0, 0])
  const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
  expect(await readHistoryVersions(store)).toEqual([1, 2, 3, 4, 5])
  const { json } = await on.needle(['status'])
  const stopped = { hold: { mode: 'stopped' } }
  expect(json).toMatchObject({
    manifest: { version: 5 },
    functions: Object.fromEntries(names.map((name) => [name, stopped])),
  })
})

test('of two deploys at once the newer commit ends up live, whoever wins (import-map-deployer#134)', async () => {
  await using on = await createPublishedRepository()
  await on.publish({ 'shop/a': '1', 'shop/b': '1' })
  await on.build({ 'shop/a': '2', 'shop/b': '1' }, { directory: '.needle/older' })
  const newer = await on.build({ 'shop/a': '2', 'shop/b': '2' }, { directory: '.needle/newer' })
  const [older, newest] = await Promise.all([
    on.spawnNeedle(['publish', '--build', '.needle/older']),
    on.spawnNeedle(['publish', '--build', '.needle/newer']),
  ])
  expect(newest.exitCode).toBe(0)
  const olderWon = older.exitCode === 0
  expect(olderWon || older.stdout.includes('COMMIT_OLDER')).toBe(true)
  const { json } = await on.needle(['status'])
  expect(json).toMatchObject({ manifest: { commit: newer, version: olderWon ? 3 : 2 } })
})
