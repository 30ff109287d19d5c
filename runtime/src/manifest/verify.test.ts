import * as fc from 'fast-check'
import { type GeneralJWS, GeneralSign } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { isRuntimeError, type RuntimeErrorCode } from '../errors.ts'
import { digestOf } from './digest.ts'
import { signDocument } from './envelope.ts'
import { createSigner, generateSigningKey, type Signer } from './signing-key.ts'
import { testManifest, testRelease } from './testing/test-documents.ts'
import { createTestTrust, type TestTrust, testTrustRoot } from './testing/test-trust.ts'
import type { Role, TrustRoot } from './trust-root.ts'
import { readNamedRelease, verifyManifest, verifyRelease, verifyTrustRoot } from './verify.ts'

let trust: TestTrust
let stranger: Signer
beforeAll(async () => {
  trust = await createTestTrust()
  stranger = await createSigner((await generateSigningKey()).privateJwk)
})

const codeOf = async (promise: Promise<unknown>): Promise<RuntimeErrorCode | null> => {
  const error: unknown = await promise.then(
    () => null,
    (thrown: unknown) => thrown,
  )
  return isRuntimeError(error) ? error.code : null
}

const manifestBy = (...signers: Signer[]): Promise<Uint8Array> =>
  signDocument({ kind: 'manifest', payload: testManifest() }, signers)

const signRoot = (payload: TrustRoot, ...signers: Signer[]): Promise<Uint8Array> =>
  signDocument({ kind: 'trust-root', payload }, signers)

/** A JWS of jose in our one serialization. */
const serialized = ({ payload, signatures }: GeneralJWS): Uint8Array =>
  new TextEncoder().encode(
    JSON.stringify({
      payload,
      signatures: signatures.map((entry) => ({
        protected: entry.protected,
        signature: entry.signature,
      })),
    }),
  )

const rewrite = (bytes: Uint8Array, change: (text: string) => string): Uint8Array =>
  new TextEncoder().encode(change(new TextDecoder().decode(bytes)))

describe('who may sign a manifest', () => {
  it.each<[Role, string, RuntimeErrorCode | null]>([
    ['release', 'production', null],
    ['operator', 'production', null],
    ['preview', 'production', 'SIGNER_WRONG_ROLE'],
    ['root', 'production', 'SIGNER_WRONG_ROLE'],
    ['release', 'pr-7', null],
    ['operator', 'pr-7', null],
    ['preview', 'pr-7', null],
    ['root', 'pr-7', 'SIGNER_WRONG_ROLE'],
    ['preview', 'prod', 'SIGNER_WRONG_ROLE'],
  ])('%s for %s: %s', async (role, environment, code) => {
    const payload = testManifest({ environment })
    const bytes = await signDocument({ kind: 'manifest', payload }, [trust.signers[role]])
    const verified = verifyManifest(bytes, trust.root, environment)
    expect(await codeOf(verified)).toBe(code)
  })

  it('a preview manifest of a pull request does not pass for production', async () => {
    const payload = testManifest({ environment: 'pr-7' })
    const bytes = await signDocument({ kind: 'manifest', payload }, [trust.signers.release])
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe(
      'MANIFEST_WRONG_ENVIRONMENT',
    )
  })
})

it('a verified manifest says what it is, of which bytes, and whose', async () => {
  const bytes = await manifestBy(trust.signers.operator)
  expect(await verifyManifest(bytes, trust.root, 'production')).toEqual({
    document: testManifest(),
    bytes,
    digest: digestOf(bytes),
    signedBy: [trust.keys.operator.keyId],
  })
})

describe('who may sign a release', () => {
  it.each<[Role, 'production' | 'preview', RuntimeErrorCode | null]>([
    ['release', 'production', null],
    ['preview', 'production', 'SIGNER_WRONG_ROLE'],
    ['operator', 'production', 'SIGNER_WRONG_ROLE'],
    ['root', 'production', 'SIGNER_WRONG_ROLE'],
    ['release', 'preview', null],
    ['preview', 'preview', null],
    ['operator', 'preview', 'SIGNER_WRONG_ROLE'],
  ])('%s with scope %s: %s', async (role, scope, code) => {
    const payload = testRelease('shop/card', 'x', { scope })
    const bytes = await signDocument({ kind: 'release', payload }, [trust.signers[role]])
    const verified = verifyRelease(bytes, trust.root)
    expect(await codeOf(verified)).toBe(code)
  })
})

describe('a manifest is refused', () => {
  it('when a stranger signed it', async () => {
    const bytes = await manifestBy(stranger)
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('SIGNER_UNKNOWN')
  })

  it('when a stranger signed it under the id of a known key', async () => {
    const bytes = await manifestBy({ ...stranger, keyId: trust.keys.release.keyId })
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('SIGNATURE_INVALID')
  })

  it('when its key id is a member of every object', async () => {
    const bytes = await manifestBy({ ...stranger, keyId: 'constructor' })
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('SIGNER_UNKNOWN')
  })

  it('when nobody signed it', async () => {
    const bare = new TextEncoder().encode(JSON.stringify(testManifest()))
    expect(await codeOf(verifyManifest(bare, trust.root, 'production'))).toBe('DOCUMENT_UNSIGNED')
    const emptied = rewrite(await manifestBy(stranger), (text) =>
      text.replace(/"signatures":\[.*\]/, '"signatures":[]'),
    )
    expect(await codeOf(verifyManifest(emptied, trust.root, 'production'))).toBe(
      'DOCUMENT_UNSIGNED',
    )
  })

  it('when its header names another algorithm than the trust root', async () => {
    const es256 = await createTestTrust({ algorithm: 'ES256' })
    const bytes = await manifestBy({ ...es256.signers.release, keyId: trust.keys.release.keyId })
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('SIGNATURE_INVALID')
  })

  it('when its header names another word for the same algorithm', async () => {
    const jws = new GeneralSign(new TextEncoder().encode(JSON.stringify(testManifest())))
    jws.addSignature(trust.signers.release.privateKey).setProtectedHeader({
      alg: 'EdDSA',
      kid: trust.keys.release.keyId,
      typ: 'needle-manifest+json',
    })
    const bytes = serialized(await jws.sign())
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('SIGNATURE_INVALID')
  })

  it('when an HMAC over the public key poses as a signature', async () => {
    const jws = new GeneralSign(new TextEncoder().encode(JSON.stringify(testManifest())))
    jws
      .addSignature(Buffer.from(trust.keys.release.publicJwk['x'] ?? '', 'base64url'))
      .setProtectedHeader({
        alg: 'HS256',
        kid: trust.keys.release.keyId,
        typ: 'needle-manifest+json',
      })
    const bytes = serialized(await jws.sign())
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('SIGNATURE_INVALID')
  })

  it('when a release of the same key poses as one', async () => {
    const bytes = await signDocument({ kind: 'release', payload: testRelease() }, [
      trust.signers.release,
    ])
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe(
      'DOCUMENT_WRONG_KIND',
    )
    const mislabelled = await signDocument({ kind: 'manifest', payload: testRelease() }, [
      trust.signers.release,
    ])
    expect(await codeOf(verifyManifest(mislabelled, trust.root, 'production'))).toBe(
      'DOCUMENT_WRONG_KIND',
    )
  })

  it('when it was signed as something else, whatever it says it is', async () => {
    const bytes = await signDocument({ kind: 'release', payload: testManifest() }, [
      trust.signers.release,
    ])
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe(
      'DOCUMENT_WRONG_KIND',
    )
  })

  it.each<[string, (text: string) => string]>([
    ['spaces', (text) => text.replace('","signatures"', '", "signatures"')],
    ['an unprotected header', (text) => text.replace('{"protected"', '{"header":{},"protected"')],
    ['a duplicate payload', (text) => text.replace('{"payload"', '{"payload":"e30","payload"')],
    ['slack bits of base64url', (text) => text.replace(/[AQgw]("\}\]\})$/, 'B$1')],
  ])('when somebody adds %s, which no signature covers', async (_name, change) => {
    const bytes = rewrite(await manifestBy(trust.signers.release), change)
    expect(await codeOf(verifyManifest(bytes, trust.root, 'production'))).toBe('DOCUMENT_MALFORMED')
  })

  it('when any one byte is changed', async () => {
    const whole = await manifestBy(trust.signers.release)
    await fc.assert(
      fc.asyncProperty(
        fc.nat(whole.length - 1),
        fc.integer({ min: 1, max: 255 }),
        async (index, flip) => {
          const bytes = Uint8Array.from(whole)
          bytes[index] = (bytes[index] ?? 0) ^ flip
          const error: unknown = await verifyManifest(bytes, trust.root, 'production').catch(
            (thrown: unknown) => thrown,
          )
          expect(isRuntimeError(error) && error.code).toMatch(/^(DOCUMENT|SIGNER|SIGNATURE|ROOT)_/)
        },
      ),
      { numRuns: 300 },
    )
  })

  it('whatever random bytes it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
        await expect(verifyManifest(bytes, trust.root, 'production')).rejects.toSatisfy((error) =>
          isRuntimeError(error),
        )
      }),
    )
  })

  it('with a call for the newer trust root it names', async () => {
    const payload = testManifest({ rootVersion: 2 })
    for (const signer of [stranger, trust.signers.release]) {
      const bytes = await signDocument({ kind: 'manifest', payload }, [signer])
      await expect(verifyManifest(bytes, trust.root, 'production')).rejects.toMatchObject({
        code: 'ROOT_MISSING',
        details: { rootVersion: 2, known: 1 },
      })
    }
  })
})

describe('a threshold of two', () => {
  let root: TrustRoot
  let second: Signer
  beforeAll(async () => {
    const key = await generateSigningKey('ES256')
    second = await createSigner(key.privateJwk)
    root = {
      ...trust.root,
      keys: { ...trust.root.keys, [key.keyId]: { algorithm: 'ES256', jwk: key.publicJwk } },
      roles: {
        ...trust.root.roles,
        release: { keyIds: [trust.keys.release.keyId, key.keyId], threshold: 2 },
      },
    }
  })

  it('is filled by two keys, of different algorithms', async () => {
    const bytes = await manifestBy(trust.signers.release, second)
    const { signedBy } = await verifyManifest(bytes, root, 'production')
    expect(signedBy).toEqual([trust.keys.release.keyId, second.keyId])
  })

  it('is not filled by one', async () => {
    const bytes = await manifestBy(second)
    expect(await codeOf(verifyManifest(bytes, root, 'production'))).toBe('DOCUMENT_UNSIGNED')
  })

  it('is not filled by one key twice', async () => {
    const bytes = await manifestBy(second, second)
    expect(await codeOf(verifyManifest(bytes, root, 'production'))).toBe('DOCUMENT_UNSIGNED')
  })

  it('is filled in the presence of a signature that does not count', async () => {
    const bytes = await manifestBy(stranger, trust.signers.release, second)
    expect(await verifyManifest(bytes, root, 'production')).toHaveProperty('document')
  })
})

describe('a trust root', () => {
  let next: TestTrust
  beforeAll(async () => {
    next = await createTestTrust({ root: { version: 2, epoch: 2 } })
  })

  it('that a host pins is taken when it signed itself', async () => {
    const { document } = await verifyTrustRoot(trust.rootBytes, null)
    expect(document).toEqual(trust.root)
  })

  it('that a host pins is refused when it did not sign itself', async () => {
    expect(await codeOf(verifyTrustRoot(await signRoot(trust.root, stranger), null))).toBe(
      'SIGNER_UNKNOWN',
    )
  })

  it('follows when the old and the new root keys signed it', async () => {
    const bytes = await signRoot(next.root, trust.signers.root, next.signers.root)
    expect((await verifyTrustRoot(bytes, trust.root)).document).toEqual(next.root)
  })

  it('is refused when only the new keys signed it', async () => {
    expect(
      await codeOf(verifyTrustRoot(await signRoot(next.root, next.signers.root), trust.root)),
    ).toBe('SIGNER_UNKNOWN')
  })

  it('is refused when only the old keys signed it', async () => {
    expect(
      await codeOf(verifyTrustRoot(await signRoot(next.root, trust.signers.root), trust.root)),
    ).toBe('SIGNER_UNKNOWN')
  })

  it('is refused when a release key signed it', async () => {
    expect(
      await codeOf(verifyTrustRoot(await signRoot(next.root, trust.signers.release), trust.root)),
    ).toBe('SIGNER_WRONG_ROLE')
  })

  it.each([
    ['leaves a version out', { version: 3 }],
    ['has the same version', { version: 1 }],
    ['lowers the epoch', { version: 2, epoch: 4 }],
  ])('is refused when it %s', async (_name, part) => {
    const previous = testTrustRoot(trust.keys, { epoch: 5 })
    const bytes = await signRoot({ ...previous, ...part }, trust.signers.root)
    expect(await codeOf(verifyTrustRoot(bytes, previous))).toBe('ROOT_NOT_SUCCESSOR')
  })
})

describe('a release that is named by its digest', () => {
  it('is read as it was signed, whoever signed it', async () => {
    const payload = testRelease()
    const bytes = await signDocument({ kind: 'release', payload }, [stranger])
    expect(readNamedRelease(bytes)).toEqual(payload)
  })

  it.each<[string, (signed: Uint8Array) => Uint8Array, RuntimeErrorCode]>([
    ['without a signature', () => utf8(testRelease()), 'DOCUMENT_UNSIGNED'],
    ['without a payload', () => utf8({ signatures: [] }), 'DOCUMENT_MALFORMED'],
    ['whose payload is cut short', () => utf8({ payload: 'e30=' }), 'DOCUMENT_MALFORMED'],
    ['that is another document', () => utf8({ payload: 'e30' }), 'DOCUMENT_MALFORMED'],
    ['cut short', (signed) => signed.subarray(0, -1), 'DOCUMENT_MALFORMED'],
  ])('is refused %s', async (_title, change, code) => {
    const signed = await signDocument({ kind: 'release', payload: testRelease() }, [stranger])
    const read = async (): Promise<unknown> => readNamedRelease(change(signed))
    expect(await codeOf(read())).toBe(code)
  })
})

function utf8(json: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(json))
}
