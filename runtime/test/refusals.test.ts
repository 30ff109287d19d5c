import { afterEach, describe, expect, it } from 'vitest'
import { digestHex } from '../src/manifest/digest.ts'
import { objectKey } from '../src/manifest/object-key.ts'
import { sizeLimit } from '../src/manifest/size-limit.ts'
import { createTestTrust } from '../src/manifest/testing/test-trust.ts'
import { createRuntime, type Runtime } from '../src/runtime.ts'
import {
  createManualClock,
  createTestEnvironment,
  silentLog,
  type TestEnvironment,
} from './support/test-environment.ts'

const opened: Runtime[] = []

afterEach(async () => {
  for (const runtime of opened.splice(0)) await runtime.close()
})

const call = {
  requestId: 'r1',
  method: 'GET',
  url: '/shop/card',
  headers: {},
  body: null,
  caller: {},
}

async function answer(runtime: Runtime, url = '/shop/card'): Promise<unknown> {
  const { body } = await runtime.handle({ ...call, url })
  return typeof body === 'string' ? JSON.parse(body) : body
}

async function serveFirst() {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => ({ v: 1 })')
  const published = await bucket.publish({ card })
  const clock = createManualClock()
  const runtime = createRuntime({
    source: { store: bucket.store },
    groups: ['shop'],
    trust: bucket.trust.rootBytes,
    log: silentLog,
    report: false,
    clock,
  })
  opened.push(runtime)
  await runtime.start()
  expect(await answer(runtime)).toEqual({ v: 1 })
  return { bucket, card, published, runtime, clock }
}

const manifestKey = objectKey.manifest('production')

async function publishNext(bucket: TestEnvironment): Promise<Uint8Array> {
  return bucket.publish({ card: await bucket.release('shop/card', 'async () => ({ v: 2 })') })
}

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
    const good = await bucket.release('shop/card', 'async () => ({ v: 3 })')
    await bucket.publish({ card: good }, { manifest: { version: 10 } })
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
    expect(runtime.status()).toMatchObject({ frozen: true, manifest: { version: 2 } })
    expect(await answer(runtime)).toEqual({ v: 1 })

    await bucket.publish({ card })
    await runtime.refresh()
    expect(runtime.status()).toMatchObject({ frozen: false, manifest: { version: 3 } })
  })
})

describe('a function that is refused', () => {
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
      await bucket.publish({ card, other: await bucket.release('shop/other', 'async () => 1') })
      await runtime.refresh()

      const bad = await spoil(scene)
      if (typeof bad !== 'object' || bad === null || !('artifact' in bad)) throw new Error('no ref')
      const other = await bucket.release('shop/other', 'async () => 2')
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

      const fixed = await bucket.release('shop/card', 'async () => ({ v: 3 })')
      await bucket.publish({ card: fixed, other })
      await runtime.refresh()
      expect(await answer(runtime)).toEqual({ v: 3 })
      expect(runtime.status().functions[0]?.refusals).toEqual([])
    },
  )

  it('is tried again without a new manifest once its artifact is there', async () => {
    const { bucket, runtime, clock } = await serveFirst()
    const next = await bucket.release('shop/card', 'async () => ({ v: 2 })')
    const key = objectKey.artifact(next.artifact)
    const artifact = await bucket.store.get(key, { maxBytes: 1000 })
    await bucket.store.delete(key)
    await bucket.publish({ card: next })
    await runtime.refresh()
    expect(runtime.status().functions[0]?.refusals).toMatchObject([{ code: 'OBJECT_MISSING' }])
    expect(await answer(runtime)).toEqual({ v: 1 })

    if (artifact.status !== 'found') throw new Error('no artifact')
    await bucket.store.put(key, artifact.bytes)
    clock.advance(60_000)
    await runtime.refresh()
    expect(await answer(runtime)).toEqual({ v: 2 })
    expect(runtime.status().functions[0]?.refusals).toEqual([])
  })

  it('is forgotten once a better one serves: nothing is activated again for its sake', async () => {
    const { bucket, runtime, clock } = await serveFirst()
    const proven = await bucket.release('shop/other', 'async () => 1')
    const next = await bucket.release('shop/other', 'async () => 2')
    const key = objectKey.artifact(next.artifact)
    const artifact = await bucket.store.get(key, { maxBytes: 1000 })
    if (artifact.status !== 'found') throw new Error('no artifact')
    for (const each of [proven, next]) await bucket.store.delete(objectKey.artifact(each.artifact))
    await bucket.publish({
      other: { stable: next, previous: [proven], rollout: null, hold: null },
    })
    await runtime.refresh()
    await bucket.store.put(key, artifact.bytes)
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
    const entry = {
      function: 'shop/card',
      artifact: next.artifact,
      settings: next.settings,
      by: 'ann',
      reason: 'errors',
      since: '2026-01-01T00:00:00Z',
    }
    await bucket.publish({ card: next }, { quarantine: [entry] })
    await runtime.refresh()
    expect(await answer(runtime)).toEqual({ v: 1 })
    expect(runtime.status().functions[0]?.refusals).toMatchObject([
      { code: 'RELEASE_QUARANTINED', message: expect.stringContaining('ann') },
    ])

    await bucket.publish({ card }, { quarantine: [{ ...entry, artifact: card.artifact }] })
    await runtime.refresh()
    expect(await answer(runtime)).toMatchObject({ error: { code: 'FUNCTION_QUARANTINED' } })
  })
})
