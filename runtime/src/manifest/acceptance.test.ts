import { describe, expect, it } from 'vitest'
import { clockToleranceMs, judgeManifest, type ManifestCandidate } from './acceptance.ts'
import { digestOf } from './digest.ts'
import { testManifest } from './testing/test-documents.ts'
import type { TrustRoot } from './trust-root.ts'

const now = Date.parse('2026-06-01T00:00:00Z')
const digest = digestOf('these bytes')
const otherDigest = digestOf('other bytes')
const nobody = { keyIds: [], threshold: 1 }
const root: TrustRoot = {
  kind: 'trust-root',
  specVersion: 1,
  version: 3,
  epoch: 2,
  issuedAt: '2026-01-01T00:00:00Z',
  keys: {},
  roles: { root: nobody, release: nobody, preview: nobody, operator: nobody },
}
const good = { epoch: 2, rootVersion: 3, version: 10 }
const expiring = (atMs: number) =>
  testManifest({ ...good, expiresAt: new Date(atMs).toISOString() })

function judge(part: Partial<ManifestCandidate>) {
  return judgeManifest({
    candidate: testManifest(good),
    digest,
    seen: { epoch: 2, version: 9, digest: otherDigest },
    environment: 'production',
    root,
    now,
    ...part,
  })
}

describe('accepts', () => {
  it.each<[string, Partial<ManifestCandidate>]>([
    ['the next version', {}],
    ['the first one ever seen', { seen: null }],
    ['a version far above', { candidate: testManifest({ ...good, version: 1_000_000 }) }],
    ['a lower version of a higher epoch', { seen: { epoch: 1, version: 9e15, digest } }],
    [
      'one made under an earlier root of this epoch',
      {
        candidate: testManifest({ ...good, rootVersion: 2 }),
      },
    ],
    ['one at the minimum', { minVersion: 10 }],
    [
      'one that expired within the clock tolerance',
      {
        candidate: expiring(now - clockToleranceMs),
      },
    ],
  ])('%s', (_name, part) => {
    expect(judge(part)).toEqual({ verdict: 'accept' })
  })
})

describe('knows again what it accepted', () => {
  const seen = { epoch: 2, version: 10, digest }

  it('byte for byte', () => {
    expect(judge({ seen })).toEqual({ verdict: 'same' })
  })

  it('even after it expired, because expiry never stops what serves', () => {
    expect(judge({ seen, candidate: expiring(now - 1e9) })).toEqual({ verdict: 'same' })
  })
})

describe('refuses', () => {
  it.each<[string, string, Partial<ManifestCandidate>]>([
    ['MANIFEST_WRONG_ENVIRONMENT', 'another environment', { environment: 'staging' }],
    [
      'ROOT_MISSING',
      'a newer root than is known',
      {
        candidate: testManifest({ ...good, rootVersion: 4 }),
      },
    ],
    [
      'ROOT_MISSING',
      'an epoch no root has raised',
      {
        candidate: testManifest({ ...good, epoch: 3 }),
      },
    ],
    [
      'MANIFEST_OLDER',
      'an epoch the root has left',
      {
        candidate: testManifest({ ...good, epoch: 1, version: 99 }),
        seen: null,
      },
    ],
    [
      'MANIFEST_OLDER',
      'a version below the highest seen',
      {
        candidate: testManifest({ ...good, version: 8 }),
      },
    ],
    [
      'MANIFEST_FORKED',
      'the same version with other bytes',
      {
        seen: { epoch: 2, version: 10, digest: otherDigest },
      },
    ],
    [
      'MANIFEST_BELOW_MINIMUM',
      'a version below the host’s minimum',
      {
        seen: null,
        minVersion: 11,
      },
    ],
    [
      'MANIFEST_EXPIRED',
      'one past its time and the tolerance',
      {
        candidate: expiring(now - clockToleranceMs - 1),
      },
    ],
    [
      'MANIFEST_REQUIRES_UNKNOWN',
      'a feature it does not know',
      {
        candidate: testManifest({ ...good, requires: ['teleport'] }),
      },
    ],
  ])('%s: %s', (code, _name, part) => {
    expect(judge(part)).toMatchObject({ verdict: 'refuse', code })
  })

  it('an expired fork as a fork, because that is the graver news', () => {
    const seen = { epoch: 2, version: 10, digest: otherDigest }
    expect(judge({ seen, candidate: expiring(now - 1e9) })).toMatchObject({
      code: 'MANIFEST_FORKED',
    })
  })
})
