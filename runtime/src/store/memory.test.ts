import { expect, it } from 'vitest'
import { describeArtifactStore } from './artifact-store.contract.ts'
import { createMemoryStore } from './memory.ts'

describeArtifactStore('memory', async () => {
  const store = createMemoryStore()
  return {
    open: async () => ({ ...store, close: async () => undefined }),
    close: () => store.close(),
  }
})

it('does not share its bytes with those who wrote or read them', async () => {
  const store = createMemoryStore()
  const written = Uint8Array.of(1)
  await store.put('a', written)
  written[0] = 2
  const read = await store.get('a', { maxBytes: 1 })
  expect(read).toMatchObject({ bytes: Uint8Array.of(1) })
})
