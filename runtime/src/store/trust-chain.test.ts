import { beforeAll, beforeEach, expect, it } from 'vitest'
import { signDocument } from '../manifest/envelope.ts'
import { objectKey } from '../manifest/object-key.ts'
import { createTestTrust, type TestTrust } from '../manifest/testing/test-trust.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { createMemoryStore } from './memory.ts'
import { advanceTrust } from './trust-chain.ts'

let chain: [TestTrust, TestTrust, TestTrust]
let store: ArtifactStore
beforeAll(async () => {
  chain = [
    await createTestTrust(),
    await createTestTrust({ root: { version: 2 } }),
    await createTestTrust({ root: { version: 3, epoch: 2 } }),
  ]
})
beforeEach(async () => {
  store = createMemoryStore()
  const [first, second, third] = chain
  await putRoot(second, [first.signers.root, second.signers.root])
  await putRoot(third, [second.signers.root, third.signers.root])
})

it('walks every root up to the newest', async () => {
  const { root, steps } = await advanceTrust(store, chain[0].root)
  expect(root).toEqual(chain[2].root)
  expect(steps.map(({ document }) => document.version)).toEqual([2, 3])
})

it('stops at the version asked for', async () => {
  expect((await advanceTrust(store, chain[0].root, 2)).root).toEqual(chain[1].root)
})

it('stays where it is when there is nothing newer', async () => {
  expect(await advanceTrust(store, chain[2].root)).toEqual({ root: chain[2].root, steps: [] })
  expect(await advanceTrust(store, chain[2].root, 1)).toEqual({ root: chain[2].root, steps: [] })
})

it('says which root is missing when one is wanted', async () => {
  await store.delete(objectKey.trustRoot(2))
  await expect(advanceTrust(store, chain[0].root, 3)).rejects.toMatchObject({
    code: 'ROOT_MISSING',
    message: expect.stringContaining('trust/2.json'),
  })
})

it('believes no root that the one before did not sign', async () => {
  const [, second, third] = chain
  await putRoot(third, [third.signers.root])
  await expect(advanceTrust(store, second.root)).rejects.toMatchObject({ code: 'SIGNER_UNKNOWN' })
})

it('believes no genuine root under another number', async () => {
  const [first, second] = chain
  const bytes = await signDocument(
    { kind: 'trust-root', payload: { ...second.root, version: 3 } },
    [first.signers.root, second.signers.root],
  )
  await store.put(objectKey.trustRoot(2), bytes)
  await expect(advanceTrust(store, first.root)).rejects.toMatchObject({
    code: 'ROOT_NOT_SUCCESSOR',
  })
})

async function putRoot(
  { root }: TestTrust,
  signers: Parameters<typeof signDocument>[1],
): Promise<void> {
  const bytes = await signDocument({ kind: 'trust-root', payload: root }, signers)
  await store.put(objectKey.trustRoot(root.version), bytes)
}
