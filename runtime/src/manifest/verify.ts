import { RuntimeError } from '../errors.ts'
import { type Digest, digestOf } from './digest.ts'
import { parseManifest, parseOneOfManyReleases, parseRelease, parseTrustRoot } from './documents.ts'
import { openEnvelope, readPayload } from './envelope.ts'
import type { Manifest } from './manifest.ts'
import type { Release } from './release.ts'
import { pause } from '../pause.ts'
import { assertRoleFilled, assertSignedByAny, checkSignatures } from './signature-threshold.ts'
import type { Role, TrustRoot } from './trust-root.ts'

/** A document whose signatures hold. */
export interface Verified<Document> {
  readonly document: Document
  /** The exact bytes received: what to store, to copy, to verify again. */
  readonly bytes: Uint8Array
  /** Of those bytes. */
  readonly digest: Digest
  /** Ids of the keys that signed in a role that may. */
  readonly signedBy: readonly string[]
}

/**
 * A manifest signed for this environment: by the release or the operator role, and in preview
 * environments (`pr-*`) by the preview role as well. Whether it may replace what is known is
 * `judgeManifest`'s question.
 *
 * @throws RuntimeError `DOCUMENT_*`, `SIGNER_UNKNOWN`, `SIGNER_WRONG_ROLE`, `SIGNATURE_INVALID`,
 *   `MANIFEST_WRONG_ENVIRONMENT`; `ROOT_MISSING` with `details.rootVersion` when it claims a newer
 *   trust root than this one, which then must be fetched first (`advanceTrust`).
 */
export async function verifyManifest(
  bytes: Uint8Array,
  root: TrustRoot,
  environment: string,
  source = 'manifest',
): Promise<Verified<Manifest>> {
  const envelope = openEnvelope(bytes, 'manifest', source)
  const permitted: Role[] = isPreviewEnvironment(environment)
    ? ['release', 'operator', 'preview']
    : ['release', 'operator']
  const signatures = await assertSignedByAny(envelope, root, permitted).catch((error: unknown) => {
    // The signature failed, so this claim is believed only so far as to look for a newer root,
    // which must itself be signed by the one we have.
    const claimed = claimedRootVersion(envelope.payload, source)
    if (claimed !== null && claimed > root.version) throw newerRoot(claimed, root, source, error)
    throw error
  })
  const manifest = parseManifest(envelope.payload, source)
  if (manifest.rootVersion > root.version) throw newerRoot(manifest.rootVersion, root, source)
  if (manifest.environment !== environment) {
    throw new RuntimeError(
      'MANIFEST_WRONG_ENVIRONMENT',
      `${source} is for environment "${manifest.environment}", not "${environment}"`,
      { details: { source, environment: manifest.environment, expected: environment } },
    )
  }
  return { document: manifest, bytes, digest: digestOf(bytes), signedBy: signatures }
}

/**
 * A release signed by CI: production scope by the release role only, preview scope by the preview
 * or the release role. An operator never introduces code.
 *
 * @throws RuntimeError `DOCUMENT_*`, `SIGNER_UNKNOWN`, `SIGNER_WRONG_ROLE`, `SIGNATURE_INVALID`
 */
export async function verifyRelease(
  bytes: Uint8Array,
  root: TrustRoot,
  source = 'release',
): Promise<Verified<Release>> {
  const envelope = openEnvelope(bytes, 'release', source)
  // Nothing is read of what nobody signed; who must have signed it is read in it.
  const checked = await checkSignatures(envelope, root, ['release', 'preview'])
  assertRoleFilled(checked, ['release', 'preview'])
  await pause()
  const release = parseRelease(envelope.payload, source)
  const signedBy = assertRoleFilled(
    checked,
    release.scope === 'production' ? ['release'] : ['release', 'preview'],
  )
  return { document: release, bytes, digest: digestOf(bytes), signedBy }
}

/**
 * The release in bytes that a verified document names by their digest. Who signed it is not looked at:
 * before any of its code runs, `verifyRelease` must have.
 *
 * @throws RuntimeError `DOCUMENT_*`
 */
export function readNamedRelease(bytes: Uint8Array, source = 'release'): Release {
  return parseOneOfManyReleases(readPayload(bytes, 'release', source), source)
}

/**
 * A trust root that follows `previous`: the next version, signed by the root role of both, its
 * epoch not lower (TUF specification, 5.3.4–5.3.5: arbitrary software attacks and rollback of
 * trust). With `null` the root a host pinned: signed by itself, believed because the host says so.
 *
 * @throws RuntimeError `ROOT_NOT_SUCCESSOR`, `DOCUMENT_*`, `SIGNER_*`, `SIGNATURE_INVALID`
 */
export async function verifyTrustRoot(
  bytes: Uint8Array,
  previous: TrustRoot | null,
  source = 'trust root',
): Promise<Verified<TrustRoot>> {
  const envelope = openEnvelope(bytes, 'trust-root', source)
  if (previous !== null) await assertSignedByAny(envelope, previous, ['root'])
  const root = parseTrustRoot(envelope.payload, source)
  const signedBy = await assertSignedByAny(envelope, root, ['root'])
  if (previous !== null) assertSuccessor(root, previous, source)
  return { document: root, bytes, digest: digestOf(bytes), signedBy }
}

/** Environments of pull requests, where preview keys may sign. */
export function isPreviewEnvironment(environment: string): boolean {
  return environment.startsWith('pr-')
}

function assertSuccessor(root: TrustRoot, previous: TrustRoot, source: string): void {
  const fault =
    root.version !== previous.version + 1
      ? `is version ${root.version}, but ${previous.version + 1} must follow ${previous.version}`
      : root.epoch < previous.epoch
        ? `lowers the epoch from ${previous.epoch} to ${root.epoch}`
        : null
  if (fault !== null) {
    throw new RuntimeError('ROOT_NOT_SUCCESSOR', `${source} ${fault}`, {
      details: { source, version: root.version, previous: previous.version },
    })
  }
}

function claimedRootVersion(payload: Uint8Array, source: string): number | null {
  try {
    return parseManifest(payload, source).rootVersion
  } catch (error) {
    if (error instanceof RuntimeError) return null
    throw error
  }
}

function newerRoot(
  rootVersion: number,
  root: TrustRoot,
  source: string,
  cause?: unknown,
): RuntimeError {
  return new RuntimeError(
    'ROOT_MISSING',
    `${source} names trust root ${rootVersion}, but only roots up to ${root.version} are known here`,
    { cause, details: { source, rootVersion, known: root.version } },
  )
}
