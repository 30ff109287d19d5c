import { createMemoryStore } from '@needle-faas/runtime/store'
import { describe, expect, test } from 'vitest'
import { createTestTrust } from '../../../runtime/src/manifest/testing/test-trust.ts'
import {
  createTestPublisher,
  publishCode,
  readHistoryVersions,
  readServedCode,
} from './environment-under-test.ts'
import { killed, killedAt } from './killed-store.ts'

const before = { 'shop/card': 'card 1', 'shop/quote': 'quote 1', 'ads/banner': 'banner 1' }
const after = { 'shop/card': 'card 2', 'shop/quote': 'quote 1', 'ads/banner': 'banner 2' }

describe.each(['before', 'after'] as const)('a publisher killed %s its n-th write', (moment) => {
  test('leaves an environment that verifies, and the next run completes it, for every n', async () => {
    const trust = await createTestTrust()
    let wasKilled = true
    let killings = 0
    for (let n = 1; wasKilled; n++) {
      const store = createMemoryStore()
      await publishCode(createTestPublisher(trust, store), trust, before)

      const dying = killedAt(store, n, moment)
      wasKilled = await publishCode(createTestPublisher(trust, dying), trust, after).then(
        () => false,
        (error: unknown) => {
          if (error !== killed) throw error
          return true
        },
      )
      if (wasKilled) killings++
      expect([before, after]).toContainEqual(await readServedCode(store, trust))

      await publishCode(createTestPublisher(trust, store), trust, after)
      expect(await readServedCode(store, trust)).toEqual(after)
      expect(await readHistoryVersions(store)).toEqual([1, 2])
    }
    // probe, 2 artifacts and 2 releases changed among 3 each, 2 groups, history, manifest
    expect(killings).toBe(11)
  })
})

test('a publisher killed at any write of the very first publish leaves nothing in the way', async () => {
  const trust = await createTestTrust()
  let wasKilled = true
  for (let n = 1; wasKilled; n++) {
    const store = createMemoryStore()
    const dying = killedAt(store, n, 'before')
    wasKilled = await publishCode(createTestPublisher(trust, dying), trust, before).then(
      () => false,
      () => true,
    )
    await publishCode(createTestPublisher(trust, store), trust, before)
    expect(await readServedCode(store, trust)).toEqual(before)
    expect(await readHistoryVersions(store)).toEqual([1])
  }
})
