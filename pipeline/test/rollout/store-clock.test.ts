import { createMemoryStore } from '@needle-faas/runtime/store'
import { expect, test } from 'vitest'
import { createTestTrust } from '../../../runtime/src/manifest/testing/test-trust.ts'
import { createStoreClock } from '../../src/rollout/store-clock.ts'

test('goes by what the store tells with its answers, and writes nothing to learn it', async () => {
  const { root } = await createTestTrust()
  const store = createMemoryStore()
  const here = Date.parse('2026-11-22T10:00:00Z')
  let offsetMs: number | null = null
  const answering = { ...store, clockOffsetMs: () => offsetMs }
  const access = { root, environment: 'production', store: answering }
  const read = createStoreClock(access, { now: () => here })
  for (offsetMs of [-600_000, 600_000]) expect(await read()).toBe(here + offsetMs)
  const key = 'environments/production/clock.json'
  expect(await store.get(key, { maxBytes: 10 })).toEqual({ status: 'missing' })
  offsetMs = null
  await read()
  expect(await store.get(key, { maxBytes: 10 })).toMatchObject({ status: 'found' })
})

test('tells the time of the store however wrong this clock is, and asks once a minute', async () => {
  const { root } = await createTestTrust()
  const store = createMemoryStore()
  const stored = Date.parse('2026-11-22T10:00:00Z')
  let passedMs = 0
  let asked = 0
  const access = {
    root,
    environment: 'production',
    store: {
      ...store,
      async *list() {
        asked++
        const key = 'environments/production/clock.json'
        yield { key, sizeBytes: 2, modifiedAt: stored + passedMs }
      },
    },
  }
  const wrongMs = 10 * 60_000
  const read = createStoreClock(access, { now: () => stored - wrongMs + passedMs })
  for (const after of [0, 30_000, 59_999]) {
    passedMs = after
    expect(await read()).toBe(stored + after)
  }
  expect(asked).toBe(1)
  passedMs = 60_000
  expect(await read()).toBe(stored + 60_000)
  expect(asked).toBe(2)
})
