import { expect, it } from 'vitest'
import { createTestEnvironment } from '../../test/support/test-environment.ts'
import { systemClock } from '../clock.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import type { DesiredState } from './desired-state.ts'
import { createManifestPoll } from './manifest-poll.ts'

const never = new AbortController().signal

it('reads no document again of a manifest that it knows, and all of another', async () => {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: 'async () => 1' })
  const asked: string[] = []
  const store: ArtifactStore = {
    ...bucket.store,
    get: (key, options) => {
      asked.push(key)
      return bucket.store.get(key, options)
    },
  }
  const pollKnowing = async (known: DesiredState | null): Promise<DesiredState> => {
    asked.length = 0
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
  const groupsAsked = (): number => asked.filter((key) => key.includes('/groups/')).length

  const first = await pollKnowing(null)
  expect(groupsAsked()).toBe(1)
  expect(await pollKnowing(first)).toBe(first)
  expect(groupsAsked()).toBe(0)

  await bucket.publish({ card: 'async () => 2' })
  const second = await pollKnowing(first)
  expect(groupsAsked()).toBe(1)
  expect(second.digest).not.toBe(first.digest)
})
