import { readdir } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, expect, it } from 'vitest'
import { signDocument } from '../src/manifest/envelope.ts'
import { objectKey } from '../src/manifest/object-key.ts'
import { createTestTrust, type TestTrust } from '../src/manifest/testing/test-trust.ts'
import type { Runtime } from '../src/runtime.ts'
import type { SourceOptions } from '../src/runtime-options.ts'
import { createMemoryStore } from '../src/store/memory.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTemporaryDirectory } from './support/temporary-directory.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'

let cacheDirectory: string
beforeEach(async () => {
  cacheDirectory = await createTemporaryDirectory()
})

/** Pinned for ever at the first root. */
const start = (bucket: TestEnvironment, source: Partial<SourceOptions> = {}): Promise<Runtime> =>
  startRuntime(bucket, { source: { cacheDirectory, bootDeadlineMs: 500, ...source } })

const answer = async (runtime: Runtime): Promise<unknown> => (await call(runtime)).body

/** Root 2 with new keys in every role, uploaded but not yet named by any manifest. */
async function rotate(bucket: TestEnvironment): Promise<TestTrust> {
  const next = await createTestTrust({ root: { version: 2 } })
  const bytes = await signDocument({ kind: 'trust-root', payload: next.root }, [
    bucket.trust.signers.root,
    next.signers.root,
  ])
  await bucket.store.put(objectKey.trustRoot(2), bytes)
  return next
}

const handler = (v: number) => `async () => ({ v: ${v} })`

async function publishUnder(bucket: TestEnvironment, trust: TestTrust, v: number) {
  const signer = trust.signers.release
  const card = await bucket.release('shop/card', handler(v), { signer })
  const { version: rootVersion } = trust.root
  return bucket.publish({ card }, { signer, manifest: { rootVersion } })
}

/** What somebody who kept the old release key would publish. */
async function forge(bucket: TestEnvironment) {
  await publishUnder(bucket, bucket.trust, 666)
}

it('follows a newer root, and refuses the old key from then on', async () => {
  const bucket = await createTestEnvironment()
  await publishUnder(bucket, bucket.trust, 1)
  const runtime = await start(bucket)
  await publishUnder(bucket, await rotate(bucket), 2)
  await runtime.refresh()
  expect(await answer(runtime)).toEqual({ v: 2 })
  expect(runtime.status().manifest).toMatchObject({ rootVersion: 2 })

  await forge(bucket)
  await runtime.refresh()
  expect(runtime.status().refusal).toMatchObject({ code: 'SIGNER_UNKNOWN' })
  expect(await answer(runtime)).toEqual({ v: 2 })
})

it('remembers the newer root across a restart without the store', async () => {
  const bucket = await createTestEnvironment()
  await publishUnder(bucket, await rotate(bucket), 2)
  await (await start(bucket)).close()

  const away = await start(bucket, { store: createMemoryStore() })
  expect(await answer(away)).toEqual({ v: 2 })
  await away.close()

  // A bucket from which the newer root was taken away, with a manifest of the old key.
  await bucket.store.delete(objectKey.trustRoot(2))
  await forge(bucket)
  const restarted = await start(bucket)
  await restarted.refresh()
  expect(restarted.status().refusal).toMatchObject({ code: 'SIGNER_UNKNOWN' })
  expect(await answer(restarted)).toEqual({ v: 2 })
})

it('refuses the old key although no manifest has named the newer root yet', async () => {
  const bucket = await createTestEnvironment()
  await rotate(bucket)
  await forge(bucket)
  const runtime = await start(bucket, { cacheDirectory: undefined })
  expect(runtime.status()).toMatchObject({
    state: 'notReady',
    refusal: { code: 'SIGNER_UNKNOWN' },
  })
})

it('boots on the manifest before the rotation when it ended between root and manifest', async () => {
  const bucket = await createTestEnvironment()
  await publishUnder(bucket, bucket.trust, 1)
  const before = await start(bucket)
  await rotate(bucket)
  // Whole enough to make the root known, and never taken: its group is missing.
  await publishUnder(bucket, await rotate(bucket), 2)
  for await (const { key } of bucket.store.list('environments/production/groups/')) {
    await bucket.store.delete(key)
  }
  await before.refresh()
  expect(before.status().refusal).toMatchObject({ code: 'OBJECT_MISSING' })
  await before.close()
  expect(await readdir(path.join(cacheDirectory, 'production/trust'))).toEqual(['2.json'])

  expect(await answer(await start(bucket, { store: createMemoryStore() }))).toEqual({ v: 1 })
})

it('takes a manifest of the root it knows when a damaged newer one lies in the store', async () => {
  const bucket = await createTestEnvironment()
  await bucket.store.put(objectKey.trustRoot(2), Buffer.from('{"signatures":'))
  await publishUnder(bucket, bucket.trust, 1)
  expect(await answer(await start(bucket))).toEqual({ v: 1 })
})
