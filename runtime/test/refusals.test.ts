import { describe, expect, it } from 'vitest'
import { digestHex } from '../src/manifest/digest.ts'
import { objectKey } from '../src/manifest/object-key.ts'
import { sizeLimit } from '../src/manifest/size-limit.ts'
import { testFunctionState, testQuarantineEntry } from '../src/manifest/testing/test-documents.ts'
import { createTestTrust } from '../src/manifest/testing/test-trust.ts'
import type { Runtime } from '../src/runtime.ts'
import { call } from './support/call.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createManualClock } from './support/manual-clock.ts'
import { createTestEnvironment, type TestEnvironment } from './support/test-environment.ts'
import { withhold } from './support/withhold.ts'

const answer = async (runtime: Runtime, url?: string): Promise<unknown> =>
  (await call(runtime, url)).body

async function serveFirst() {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => ({ v: 1 })')
  const published = await bucket.publish({ card })
  const clock = createManualClock()
  const runtime = await startRuntime(bucket, { clock })
  expect(await answer(runtime)).toEqual({ v: 1 })
  return { bucket, card, published, runtime, clock }
}

const manifestKey = objectKey.manifest('production')

const publishNext = (bucket: TestEnvironment): Promise<Uint8Array> =>
  bucket.publish({ card: 'async () => ({ v: 2 })' })

type Scene = Awaited<ReturnType<typeof serveFirst>>

describe('a manifest that is refused', () => {
  it.each<[string, string, (scene: Scene) => Promise<unknown>]>([
    [
      'DOCUMENT_MALFORMED',
      'is truncated',
      async ({ bucket }) => {
        const bytes = await publishNext(bucket)
        await bucket.store.put(manifestKey, bytes.subarray(0, bytes.length >> 1))
      },
    ],
    [
      'SIGNATURE_INVALID',
      'was altered',
      async ({ bucket }) => {
        const jws: unknown = JSON.parse(Buffer.from(await publishNext(bucket)).toString())
        if (typeof jws !== 'object' || jws === null || !('payload' in jws))
          throw new Error('no JWS')
        const payload = Buffer.from(String(jws.payload), 'base64url').toString()
        const altered = payload.replace('"actor":"test"', '"actor":"evil"')
        expect(altered).not.toBe(payload)
        const forged = { ...jws, payload: Buffer.from(altered).toString('base64url') }
        await bucket.store.put(manifestKey, Buffer.from(JSON.stringify(forged)))
      },
    ],
    [
      'DOCUMENT_TOO_LARGE',
      'is oversized',
      ({ bucket }) =>
        bucket.store.put(manifestKey, Buffer.alloc(sizeLimit.manifestBytes + 1, 0x20)),
    ],
    [
      'DOCUMENT_UNSIGNED',
      'is unsigned',
      ({ bucket }) =>
        bucket.store.put(
          manifestKey,
          Buffer.from(JSON.stringify({ kind: 'manifest', specVersion: 1, version: 2 })),
        ),
    ],
    [
      'SIGNER_UNKNOWN',
      'is signed by a stranger',
      async ({ bucket, card }) => {
        const stranger = await createTestTrust()
        await bucket.publish({ card }, { signer: stranger.signers.release })
      },
    ],
    [
      'SIGNER_WRONG_ROLE',
      'is signed in the wrong role',
      ({ bucket, card }) => bucket.publish({ card }, { signer: bucket.trust.signers.preview }),
    ],
    [
      'MANIFEST_WRONG_ENVIRONMENT',
      'is for another environment',
      ({ bucket, card }) => bucket.publish({ card }, { manifest: { environment: 'staging' } }),
    ],
    [
      'MANIFEST_OLDER',
      'is older than what serves',
      async ({ bucket, published, card, runtime }) => {
        await bucket.publish({ card })
        await runtime.refresh()
        await bucket.store.put(manifestKey, published)
      },
    ],
    [
      'MANIFEST_FORKED',
      'is a fork of what serves',
      ({ bucket, card }) =>
        bucket.publish({ card }, { manifest: { version: 1, publishId: 'another-one' } }),
    ],
    [
      'MANIFEST_EXPIRED',
      'has expired',
      ({ bucket, card }) =>
        bucket.publish({ card }, { manifest: { expiresAt: '2026-02-01T00:00:00Z' } }),
    ],
    [
      'MANIFEST_REQUIRES_UNKNOWN',
      'requires what this runtime does not know',
      ({ bucket, card }) => bucket.publish({ card }, { manifest: { requires: ['teleport'] } }),
    ],
    ['MANIFEST_MISSING', 'is gone', ({ bucket }) => bucket.store.delete(manifestKey)],
    [
      'OBJECT_MISSING',
      'names a group document that is not there',
      async ({ bucket }) => {
        await publishNext(bucket)
        for await (const { key } of bucket.store.list('environments/production/groups/')) {
          await bucket.store.delete(key)
        }
      },
    ],
  ])('shows %s when it %s, and the old revision serves on', async (code, _title, spoil) => {
    const scene = await serveFirst()
    const { bucket, runtime } = scene
    await spoil(scene)
    await runtime.refresh()
    expect(runtime.status().refusal).toMatchObject({ code })
    expect(runtime.status().alarms).toMatchObject([{ code }])
    expect(await answer(runtime)).toEqual({ v: 1 })

    // The next good one ends it.
    await bucket.publish({ card: 'async () => ({ v: 3 })' }, { manifest: { version: 10 } })
    await runtime.refresh()
    expect(await answer(runtime)).toEqual({ v: 3 })
    expect(runtime.status()).toMatchObject({ refusal: null, alarms: [], frozen: false })
  })

  it('freezes when what serves expires, serves on, and a newer one unfreezes', async () => {
    const { bucket, card, runtime, clock } = await serveFirst()
    await bucket.publish({ card }, { manifest: { expiresAt: '2026-06-02T00:00:00Z' } })
    await runtime.refresh()
    expect(runtime.status().frozen).toBe(false)

    clock.advance(2 * 24 * 60 * 60 * 1000)
    await runtime.refresh()
    const since = new Date(clock.now()).toISOString()
    expect(runtime.status()).toMatchObject({
      frozen: true,
      manifest: { version: 2 },
      refusal: null,
      alarms: [{ code: 'MANIFEST_EXPIRED', since }],
    })
    expect(await answer(runtime)).toEqual({ v: 1 })

    await bucket.publish({ card })
    await runtime.refresh()
    expect(runtime.status()).toMatchObject({ frozen: false, manifest: { version: 3 }, alarms: [] })
  })
})

describe('a function that is refused', () => {
  it.each([
    ['at its activation', 50],
    ['at its first call', 0],
  ])('%s answers 503 at its address when nothing else may serve', async (_title, loadAhead) => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', '', { script: 'throw new Error("poison")' })
    await bucket.publish({ card, shelf: 'async () => 1' })
    const runtime = await startRuntime(bucket, { loadAhead })
    expect(await call(runtime)).toMatchObject({ status: 503, errorCode: 'FUNCTION_QUARANTINED' })
    expect((await call(runtime, '/shop/other')).status).toBe(404)
  })

  it('answers 503, and not 404, where it was quarantined before the start', async () => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', 'async () => 1')
    const quarantine = [testQuarantineEntry(card)]
    await bucket.publish({ card, shelf: 'async () => 1' }, { quarantine })
    const runtime = await startRuntime(bucket)
    expect(await call(runtime)).toMatchObject({ status: 503, errorCode: 'FUNCTION_QUARANTINED' })
  })

  it.each<[string, string, (scene: Scene) => Promise<unknown>]>([
    [
      'FUNCTION_SYNTAX',
      'is no JavaScript',
      async ({ bucket }) =>
        bucket.release('shop/card', '', { script: 'var __needle_function = {' }),
    ],
    [
      'FUNCTION_THROWS_AT_LOAD',
      'throws when it loads',
      async ({ bucket }) =>
        bucket.release('shop/card', '', { script: 'throw new Error("poison")' }),
    ],
    [
      'SERVICE_MISSING',
      'wants a service this host lacks',
      async ({ bucket }) =>
        bucket.release('shop/card', 'async () => 1', { settings: { uses: ['price'] } }),
    ],
    [
      'RELEASE_PREVIEW_SCOPE',
      'was released for previews',
      async ({ bucket }) =>
        bucket.release('shop/card', 'async () => 1', {
          scope: 'preview',
          signer: bucket.trust.signers.preview,
        }),
    ],
    [
      'OBJECT_DIGEST_MISMATCH',
      'has an altered artifact',
      async ({ bucket }) => {
        const ref = await bucket.release('shop/card', 'async () => ({ v: 2 })')
        const key = `artifacts/${digestHex(ref.artifact)}.js`
        const evil = 'var __needle_function = { default: async () => ({ v: 9 }) }'
        await bucket.store.put(key, Buffer.from(evil))
        return ref
      },
    ],
    [
      'SIGNER_WRONG_ROLE',
      'is signed by an operator',
      async ({ bucket }) =>
        bucket.release('shop/card', 'async () => 1', { signer: bucket.trust.signers.operator }),
    ],
    [
      'ROUTE_CONFLICT',
      'takes the route of another',
      async ({ bucket }) =>
        bucket.release('shop/card', 'async () => 1', {
          settings: { http: { method: 'GET', path: '/shop/other' } },
        }),
    ],
  ])(
    'shows %s when it %s; its last good revision serves and the others advance',
    async (code, _title, spoil) => {
      const scene = await serveFirst()
      const { bucket, runtime, card } = scene
      await bucket.publish({ card, other: 'async () => 1' })
      await runtime.refresh()

      const bad = await spoil(scene)
      if (typeof bad !== 'object' || bad === null || !('artifact' in bad)) throw new Error('no ref')
      const other = 'async () => 2'
      await bucket.publish({ card: Object.assign({}, card, bad), other })
      await runtime.refresh()

      const status = runtime.status()
      expect(status.refusal).toBeNull()
      expect(status.functions).toMatchObject([
        { function: 'shop/card', refusals: [{ side: 'stable', code }] },
        { function: 'shop/other', refusals: [] },
      ])
      expect(await answer(runtime)).toEqual({ v: 1 })
      expect(await answer(runtime, '/shop/other')).toBe(2)

      await bucket.publish({ card: 'async () => ({ v: 3 })', other })
      await runtime.refresh()
      expect(await answer(runtime)).toEqual({ v: 3 })
      expect(runtime.status().functions[0]?.refusals).toEqual([])
    },
  )

  it('is tried again without a new manifest once its artifact is there', async () => {
    const { bucket, runtime, clock } = await serveFirst()
    const next = await bucket.release('shop/card', 'async () => ({ v: 2 })')
    const putBack = await withhold(bucket.store, objectKey.artifact(next.artifact))
    await bucket.publish({ card: next })
    await runtime.refresh()
    expect(runtime.status().functions[0]?.refusals).toMatchObject([{ code: 'OBJECT_MISSING' }])
    expect(await answer(runtime)).toEqual({ v: 1 })

    await putBack()
    clock.advance(60_000)
    await runtime.refresh()
    expect(await answer(runtime)).toEqual({ v: 2 })
    expect(runtime.status().functions[0]?.refusals).toEqual([])
  })

  it('is forgotten once a better one serves: nothing is activated again for its sake', async () => {
    const { bucket, runtime, clock } = await serveFirst()
    const proven = await bucket.release('shop/other', 'async () => 1')
    const next = await bucket.release('shop/other', 'async () => 2')
    const putBack = await withhold(bucket.store, objectKey.artifact(next.artifact))
    await withhold(bucket.store, objectKey.artifact(proven.artifact))
    await bucket.publish({ other: testFunctionState(next, { previous: [proven] }) })
    await runtime.refresh()
    await putBack()
    clock.advance(60_000)
    await runtime.refresh()
    expect(await answer(runtime, '/shop/other')).toBe(2)

    const { lastActivation } = runtime.status().source
    clock.advance(60_000)
    await runtime.refresh()
    expect(runtime.status().source.lastActivation).toBe(lastActivation)
  })

  it('may not serve once it is quarantined, and says who did it', async () => {
    const { bucket, card, runtime } = await serveFirst()
    const next = await bucket.release('shop/card', 'async () => ({ v: 2 })')
    await bucket.publish({ card: next }, { quarantine: [testQuarantineEntry(next)] })
    await runtime.refresh()
    expect(await answer(runtime)).toEqual({ v: 1 })
    expect(runtime.status().functions[0]?.refusals).toMatchObject([
      { code: 'RELEASE_QUARANTINED', message: expect.stringContaining('ann') },
    ])

    await bucket.publish({ card }, { quarantine: [testQuarantineEntry(card)] })
    await runtime.refresh()
    expect(await answer(runtime)).toMatchObject({ error: { code: 'FUNCTION_QUARANTINED' } })
  })
})
