import { expect, it } from 'vitest'
import { recordReads } from '../../test/support/record-reads.ts'
import { createTestEnvironment } from '../../test/support/test-environment.ts'
import { systemClock } from '../clock.ts'
import type { DesiredState } from './desired-state.ts'
import { createManifestPoll } from './manifest-poll.ts'

const never = new AbortController().signal

it('reads no document again of a manifest that it knows, and all of another', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => 1' })
  const { store, read } = recordReads(bucket.store)
  const pollKnowing = async (known: DesiredState | null): Promise<DesiredState> => {
    read.length = 0
    const manifests = createManifestPoll({
      store,
      environment: 'production',
      groups: ['shop'],
      root: bucket.trust.root,
      clock: systemClock,
      highestSeen: () => null,
      known: () => known,
      isServing: () => known !== null,
      onTrustRoot: async () => {},
      onSeen: () => {},
    })
    const result = await manifests.poll(never)
    if (result.status !== 'accepted') throw new TypeError(result.status)
    return result.desired
  }
  const groupsRead = (): number => read.filter((key) => key.includes('/groups/')).length

  const first = await pollKnowing(null)
  expect(groupsRead()).toBe(1)
  expect(await pollKnowing(first)).toBe(first)
  expect(groupsRead()).toBe(0)

  await bucket.publish({ card: 'async () => 2' })
  const second = await pollKnowing(first)
  expect(groupsRead()).toBe(1)
  expect(second.digest).not.toBe(first.digest)
})
