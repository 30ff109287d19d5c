import { expect, it } from 'vitest'
import { RuntimeError } from '../errors.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { probeStore } from './conditional-probe.ts'
import { createMemoryStore } from './memory.ts'

it('finds that a good store can do everything, and leaves nothing in it', async () => {
  const store = createMemoryStore()
  const findings = await probeStore(store)
  expect(findings.map(({ capability, status }) => `${capability} ${status}`)).toEqual([
    'write works',
    'conditionalCreate works',
    'conditionalReplace works',
    'notModified works',
  ])
  for await (const { key } of store.list('')) expect.fail(`${key} is left`)
})

it('suggests ifMatch=bare to a store that refuses the current etag', async () => {
  const memory = createMemoryStore()
  const store: ArtifactStore = {
    ...memory,
    put: (key, bytes, options) =>
      typeof options?.condition === 'object'
        ? Promise.resolve({ status: 'conflict' })
        : memory.put(key, bytes, options),
  }
  const findings = await probeStore(store)
  expect(findings[2]).toMatchObject({
    capability: 'conditionalReplace',
    status: 'refused',
    message: expect.stringContaining('ifMatch=bare'),
  })
})

it('stops at a store that may not be written, and says why', async () => {
  const store = { ...createMemoryStore(), put: readOnly, delete: readOnly }
  expect(await probeStore(store)).toEqual([
    { capability: 'write', status: 'failed', message: 'may not be written' },
  ])
})

it('gives up with the signal’s reason', async () => {
  const reason = new Error('changed my mind')
  const probing = probeStore(createMemoryStore(), { signal: AbortSignal.abort(reason) })
  await expect(probing).rejects.toBe(reason)
})

async function readOnly(): Promise<never> {
  throw new RuntimeError('STORE_READ_ONLY', 'may not be written')
}
