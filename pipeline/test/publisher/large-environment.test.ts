import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { createPublishedRepository } from './published-repository.ts'

// Many Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

test('publishing one changed function of 200 writes what is new and nothing else', async () => {
  await using on = await createPublishedRepository()
  const code = Object.fromEntries(
    Array.from({ length: 200 }, (_, index) => [`group-${index % 10}/fn-${index}`, `${index}`]),
  )
  await on.publish(code)
  const store = join(on.repository.directory, '.needle/store')
  const before = await writtenIn(store)
  await on.build({ ...code, 'group-0/fn-0': 'changed' })
  const { json } = await on.needle(['publish'])
  expect(json).toMatchObject({ written: true, changes: [{ function: 'group-0/fn-0' }] })
  const written = [...(await writtenIn(store))].filter(([key, at]) => before.get(key) !== at)
  expect(written.map(([key]) => key.split('/', 1).join('')).toSorted()).toEqual([
    'artifacts',
    'artifacts',
    'builds',
    'environments',
    'environments',
    'environments',
    'releases',
  ])
})

/** When each object was written, by its key. */
async function writtenIn(store: string): Promise<ReadonlyMap<string, number>> {
  const keys = (await readdir(store, { recursive: true })).filter((key) => !key.startsWith('.'))
  const written = new Map<string, number>()
  for (const key of keys) {
    const status = await stat(join(store, key))
    if (status.isFile()) written.set(key, status.mtimeMs)
  }
  return written
}
