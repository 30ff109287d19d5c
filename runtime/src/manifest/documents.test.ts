import * as fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { isRuntimeError } from '../errors.ts'
import { defaultAnalysisLimits } from './analysis-limits.ts'
import {
  parseBuildRecord,
  parseGroupDocument,
  parseManifest,
  parseQuarantineDocument,
  parseRelease,
  parseTrustRoot,
} from './documents.ts'
import { sizeLimit } from './size-limit.ts'
import {
  testGroup,
  testManifest,
  testQuarantineEntry,
  testRelease,
  testReleaseRef,
  testRollout,
  testStop,
} from './testing/test-documents.ts'
import { createTestTrust, type TestTrust } from './testing/test-trust.ts'

const parsers = {
  parseBuildRecord,
  parseGroupDocument,
  parseManifest,
  parseQuarantineDocument,
  parseRelease,
  parseTrustRoot,
}

const bytesOf = (value: unknown): Uint8Array =>
  new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value))

describe.each(Object.entries(parsers))('%s', (_name, parse) => {
  it('answers any bytes with a document or a DOCUMENT_ error', async () => {
    const anyBytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.json().map(bytesOf),
      fc.jsonValue().map((value) => bytesOf({ kind: 'manifest', specVersion: 1, groups: value })),
    )
    await fc.assert(
      fc.asyncProperty(anyBytes, async (bytes) => {
        expect(await outcomeOf(() => parse(bytes))).toMatch(/^(frozen|DOCUMENT_.*)$/)
      }),
    )
  })

  it('survives JSON nested deeper than the stack', async () => {
    const depth = sizeLimit.buildRecordBytes / 2
    const bytes = bytesOf('['.repeat(depth) + ']'.repeat(depth))
    expect(await outcomeOf(() => parse(bytes))).toBe('DOCUMENT_MALFORMED')
  })
})

describe('a manifest', () => {
  it('is frozen to the bottom', () => {
    const manifest = parseManifest(bytesOf(testManifest({ requires: ['x'] })))
    expect(Object.isFrozen(manifest)).toBe(true)
    expect(Object.isFrozen(manifest.requires)).toBe(true)
  })

  it('may carry keys this version does not know', () => {
    const manifest = parseManifest(bytesOf({ ...testManifest(), colour: 'blue' }))
    expect(manifest).toEqual(testManifest())
  })

  it('over its cap is refused before it is parsed', () => {
    expect(() => parseManifest(new Uint8Array(sizeLimit.manifestBytes + 1))).toThrow(
      expect.objectContaining({ code: 'DOCUMENT_TOO_LARGE' }),
    )
  })

  it('that is something else is named as such', () => {
    expect(() => parseManifest(bytesOf(testRelease()))).toThrow(
      expect.objectContaining({ code: 'DOCUMENT_WRONG_KIND' }),
    )
  })

  it.each([
    ['version', { version: 0 }],
    ['environment', { environment: 'Production!' }],
    ['expiresAt', { expiresAt: 'tomorrow' }],
    ['groups.shop.digest', { groups: { shop: { digest: 'sha256:1', sizeBytes: 1 } } }],
    ['groups.shop.sizeBytes', { groups: { shop: { digest: digest(), sizeBytes: 9e9 } } }],
  ])('with a bad %s is refused by that name and its key', (path, part) => {
    const bytes = bytesOf({ ...testManifest(), ...part })
    expect(() => parseManifest(bytes, 'environments/production/manifest.json')).toThrow(
      expect.objectContaining({
        code: 'DOCUMENT_MALFORMED',
        message: expect.stringMatching(
          new RegExp(`^environments/production/manifest.json .*${path}: `),
        ),
      }),
    )
  })

  it('cut short is refused as malformed', () => {
    const whole = bytesOf(testManifest())
    expect(() => parseManifest(whole.subarray(0, whole.length - 1))).toThrow(/may be truncated/)
  })
})

it('a release with a contract nested deeper than the stack is frozen all the same', () => {
  const depth = 20_000
  const text = JSON.stringify(testRelease()).replace(
    '"input":null',
    `"input":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`,
  )
  expect(Object.isFrozen(parseRelease(bytesOf(text)).contract.input)).toBe(true)
})

describe('a group document', () => {
  const release = testRelease()
  const group = testGroup('shop', { card: testReleaseRef(bytesOf(release), release) })

  it('keeps its functions, frozen to the bottom', async () => {
    const parsed = await parseGroupDocument(bytesOf(group))
    expect(parsed).toEqual(group)
    expect(Object.isFrozen(parsed.functions)).toBe(true)
    expect(Object.isFrozen(parsed.functions['card']?.stable)).toBe(true)
  })

  it('with a bad function is refused by the path of what is bad', async () => {
    const card = { ...group.functions['card'], previous: 'none' }
    const bytes = bytesOf({ ...group, functions: { card } })
    await expect(parseGroupDocument(bytes)).rejects.toMatchObject({
      code: 'DOCUMENT_MALFORMED',
      message: expect.stringContaining('group document: functions.card.previous: '),
    })
  })
})

describe('what a later version wrote', () => {
  const release = testRelease()
  const stable = { ...testReleaseRef(bytesOf(release), release), colour: 'blue' }
  const hold = {
    ...testStop,
    colour: 'blue',
    covers: { ...testStop, mode: 'revision', colour: 'red' },
  }
  const window = { days: ['mon'], from: '00:00', to: '01:00', timeZone: 'UTC', reason: 'x' }
  const rollout = {
    ...testRollout(stable),
    colour: 'blue',
    steps: [{ weightPercent: 10, bakeMs: 0, colour: 'blue' }],
    stickyKey: { tlsSessionId: true },
    analysis: { ...defaultAnalysisLimits, colour: 'blue' },
    freeze: [{ ...window, colour: 'blue' }],
    prometheus: { query: 'x', max: 1, colour: 'blue' },
    approved: { step: 0, by: 'Ann', reason: 'x', at: '2026-01-01T00:00:00Z', colour: 'blue' },
  }

  it('of a group is kept, for who writes it again', async () => {
    const card = { stable, previous: [stable], rollout, hold, colour: 'blue' }
    const group = { ...testGroup('shop', {}), colour: 'blue', functions: { card } }
    expect(await parseGroupDocument(bytesOf(group))).toEqual(group)
  })

  it('of a quarantined pair is kept as well', () => {
    const entry = { ...testQuarantineEntry(stable), colour: 'blue' }
    const list = { specVersion: 1, entries: [entry] }
    expect(parseQuarantineDocument(bytesOf(list))).toEqual(list)
  })
})

describe('a trust root', () => {
  let trust: TestTrust
  beforeAll(async () => {
    trust = await createTestTrust()
  })

  it('is taken when every key is what it says', () => {
    expect(parseTrustRoot(bytesOf(trust.root))).toEqual(trust.root)
  })

  it('with one key under two ids is refused, because it would count twice', () => {
    const key = trust.root.keys[trust.keys.release.keyId]
    const root = { ...trust.root, keys: { ...trust.root.keys, second: key } }
    expect(() => parseTrustRoot(bytesOf(root))).toThrow(/not the thumbprint/)
  })

  it('with a private key in it is refused', () => {
    const { keyId, algorithm, privateJwk } = trust.keys.release
    const root = { ...trust.root, keys: { [keyId]: { algorithm, jwk: privateJwk } } }
    expect(() => parseTrustRoot(bytesOf(root))).toThrow(/holds a private key/)
  })

  it('with an algorithm that is not its key’s is refused', () => {
    const { keyId, publicJwk } = trust.keys.release
    const keys = { ...trust.root.keys, [keyId]: { algorithm: 'ES256', jwk: publicJwk } }
    expect(() => parseTrustRoot(bytesOf({ ...trust.root, keys }))).toThrow(/is not an ES256 key/)
  })

  it('with a role that names a missing key is refused', () => {
    const root = {
      ...trust.root,
      roles: { ...trust.root.roles, operator: { keyIds: ['constructor'], threshold: 1 } },
    }
    expect(() => parseTrustRoot(bytesOf(root))).toThrow(/roles.operator names constructor/)
  })
})

async function outcomeOf(parse: () => unknown): Promise<string> {
  try {
    return Object.isFrozen(await parse()) ? 'frozen' : 'not frozen'
  } catch (error) {
    return isRuntimeError(error) ? error.code : `crashed: ${String(error)}`
  }
}

function digest(): string {
  return `sha256:${'0'.repeat(64)}`
}
