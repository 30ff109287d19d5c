import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type Digest, digestOf } from '../manifest/digest.ts'
import { signDocument } from '../manifest/envelope.ts'
import type { ObjectRef } from '../manifest/manifest.ts'
import { objectKey } from '../manifest/object-key.ts'
import { testGroup, testManifest, testRelease } from '../manifest/testing/test-documents.ts'
import { createTestTrust, type TestTrust } from '../manifest/testing/test-trust.ts'
import type { ArtifactStore } from './artifact-store.ts'
import { createMemoryStore } from './memory.ts'
import {
  type TestEnvironment,
  writeTestEnvironment,
  writeTestRelease,
} from './testing/write-test-environment.ts'
import { createVerifiedReader, type VerifiedReader } from './verified-reader.ts'

const source = 'module.exports = () => 1'
const encode = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value))

let trust: TestTrust
let store: ArtifactStore
let written: TestEnvironment
let reader: VerifiedReader
beforeAll(async () => {
  trust = await createTestTrust()
})
beforeEach(async () => {
  store = createMemoryStore()
  written = await writeTestEnvironment(store, trust, { 'shop/card': source })
  reader = createVerifiedReader({ store, environment: 'production', root: trust.root })
})

/** The one function written, with the reference its group gives. */
function card() {
  const entry = written.releases['shop/card']
  if (entry === undefined) throw new Error('no release was written')
  return entry
}

it('walks from the manifest to the artifact', async () => {
  const manifest = await reader.manifest()
  if (manifest.status !== 'found') throw new Error(manifest.status)
  const ref = manifest.document.groups['shop']
  if (ref === undefined) throw new Error('no group')
  const group = await reader.group('shop', ref)
  const stable = group.functions['card']?.stable
  if (stable === undefined) throw new Error('no function')
  const { document } = await reader.release(stable, 'shop/card')
  expect(new TextDecoder().decode(await reader.artifact(document))).toBe(source)
  expect(await reader.sourceMap(document)).toBeNull()
  expect((await reader.quarantine(manifest.document.quarantine)).entries).toEqual([])
})

describe('the manifest', () => {
  it('is not read again while its etag stays', async () => {
    const first = await reader.manifest()
    const etag = first.status === 'found' ? first.etag : ''
    expect(await reader.manifest({ etag })).toEqual({ status: 'notModified' })
  })

  it('that is missing is a value, for an environment may be new', async () => {
    await store.delete(objectKey.manifest('production'))
    expect(await reader.manifest()).toEqual({ status: 'missing' })
    expect(await reader.history(9)).toEqual({ status: 'missing' })
  })

  it('is refused when it was put in from another environment', async () => {
    const staging = await signDocument(
      { kind: 'manifest', payload: testManifest({ environment: 'staging' }) },
      [trust.signers.release],
    )
    await store.put(objectKey.manifest('production'), staging)
    await expect(reader.manifest()).rejects.toMatchObject({ code: 'MANIFEST_WRONG_ENVIRONMENT' })
  })

  it('is refused over its cap, whoever signed it', async () => {
    await store.put(objectKey.manifest('production'), new Uint8Array(64 * 1024 + 1))
    await expect(reader.manifest()).rejects.toMatchObject({ code: 'DOCUMENT_TOO_LARGE' })
  })

  it('of the history is refused under another number', async () => {
    await store.put(objectKey.history('production', 7), written.manifestBytes)
    await expect(reader.history(7)).rejects.toMatchObject({
      code: 'DOCUMENT_MALFORMED',
      message: expect.stringContaining('history/7.json holds version 1'),
    })
  })
})

describe('an object the manifest names is refused', () => {
  const overwrite: [string, string, (bytes: Uint8Array) => Uint8Array | null][] = [
    ['OBJECT_MISSING', 'is gone', () => null],
    ['OBJECT_SIZE_MISMATCH', 'is cut short', (bytes) => bytes.subarray(1)],
    ['OBJECT_SIZE_MISMATCH', 'has grown', (bytes) => Buffer.concat([bytes, Buffer.from('x')])],
    ['OBJECT_DIGEST_MISMATCH', 'is altered', (bytes) => bytes.with(3, (bytes[3] ?? 0) ^ 1)],
  ]

  it.each(overwrite)('%s when a group %s', async (code, _how, change) => {
    const ref = written.manifest.groups['shop']
    if (ref === undefined) throw new Error('no group')
    await tamper(objectKey.group('production', ref.digest), change)
    await expect(reader.group('shop', ref)).rejects.toMatchObject({ code })
  })

  it.each(overwrite)('%s when a release %s', async (code, _how, change) => {
    const { ref } = card()
    await tamper(objectKey.release(ref.release), change)
    await expect(reader.release(ref, 'shop/card')).rejects.toMatchObject({ code })
  })

  it.each(overwrite)('%s when an artifact %s', async (code, _how, change) => {
    const { release } = card()
    await tamper(objectKey.artifact(release.artifact.digest), change)
    await expect(reader.artifact(release)).rejects.toMatchObject({ code })
  })

  it.each(overwrite)('%s when a source map %s', async (code, _how, change) => {
    const bytes = encode({ version: 3, sources: [] })
    const sourceMap = { digest: digestOf(bytes), sizeBytes: bytes.byteLength }
    const { artifact } = card().release
    const key = objectKey.sourceMap(artifact.digest)
    await store.put(key, bytes)
    expect(await reader.sourceMap({ artifact, sourceMap })).toEqual(bytes)
    await tamper(key, change)
    await expect(reader.sourceMap({ artifact, sourceMap })).rejects.toMatchObject({ code })
  })

  it.each(overwrite)('%s when a quarantine list %s', async (code, _how, change) => {
    const ref = await putByDigest({ specVersion: 1, entries: [] }, objectKey.quarantine)
    await tamper(objectKey.quarantine('production', ref.digest), change)
    await expect(reader.quarantine(ref)).rejects.toMatchObject({ code })
  })

  it('when a group is another group', async () => {
    const ref = await putByDigest(testGroup('user', {}), objectKey.group)
    await expect(reader.group('shop', ref)).rejects.toMatchObject({ code: 'DOCUMENT_MALFORMED' })
  })
})

describe('a release is refused', () => {
  const other = digestOf('other')

  it.each([
    ['for another function', {}, 'shop/other'],
    ['with another artifact than its reference', { artifact: other }, 'shop/card'],
    ['with other settings than its reference', { settings: other }, 'shop/card'],
  ])('%s', async (_name, part, functionName) => {
    await expect(reader.release({ ...card().ref, ...part }, functionName)).rejects.toMatchObject({
      code: 'RELEASE_MISMATCH',
    })
  })

  it('when an operator signed it', async () => {
    const release = testRelease('shop/card', source)
    const ref = await writeTestRelease(store, trust.signers.operator, release, source)
    await expect(reader.release(ref, 'shop/card')).rejects.toMatchObject({
      code: 'SIGNER_WRONG_ROLE',
    })
  })

  it('of preview scope outside preview environments', async () => {
    const release = testRelease('shop/card', source, { scope: 'preview' })
    const ref = await writeTestRelease(store, trust.signers.preview, release, source)
    await expect(reader.release(ref, 'shop/card')).rejects.toMatchObject({
      code: 'RELEASE_PREVIEW_SCOPE',
    })
    const preview = createVerifiedReader({ store, environment: 'pr-7', root: trust.root })
    expect((await preview.release(ref, 'shop/card')).document).toEqual(release)
  })
})

it('passes the signal on to the store', async () => {
  const reason = new Error('changed my mind')
  const signal = AbortSignal.abort(reason)
  const { ref, release } = card()
  await expect(reader.manifest({ signal })).rejects.toBe(reason)
  await expect(reader.release(ref, 'shop/card', { signal })).rejects.toBe(reason)
  await expect(reader.artifact(release, { signal })).rejects.toBe(reason)
})

async function putByDigest(
  document: unknown,
  keyOf: (environment: string, digest: Digest) => string,
): Promise<ObjectRef> {
  const bytes = encode(document)
  const digest = digestOf(bytes)
  await store.put(keyOf('production', digest), bytes)
  return { digest, sizeBytes: bytes.byteLength }
}

async function tamper(
  key: string,
  change: (bytes: Uint8Array) => Uint8Array | null,
): Promise<void> {
  const got = await store.get(key, { maxBytes: 1_000_000 })
  if (got.status !== 'found') throw new Error(`${key} is ${got.status}`)
  const changed = change(got.bytes)
  if (changed === null) await store.delete(key)
  else await store.put(key, changed)
}
