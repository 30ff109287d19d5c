import { createMemoryStore } from '@needle-faas/runtime/store'
import { expect, test } from 'vitest'
import { createTestTrust } from '../../../runtime/src/manifest/testing/test-trust.ts'
import { createStoreClock } from '../../src/rollout/store-clock.ts'

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
