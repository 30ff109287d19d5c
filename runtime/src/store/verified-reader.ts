import { isRuntimeError, RuntimeError } from '../errors.ts'
import { type Digest, digestOf } from '../manifest/digest.ts'
import { parseGroupDocument, parseQuarantineDocument } from '../manifest/documents.ts'
import type { GroupDocument, ReleaseRef } from '../manifest/group-document.ts'
import type { Manifest, ObjectRef } from '../manifest/manifest.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { QuarantineDocument } from '../manifest/quarantine.ts'
import type { Release } from '../manifest/release.ts'
import { sizeLimit } from '../manifest/size-limit.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import {
  isPreviewEnvironment,
  readNamedRelease,
  type Verified,
  verifyManifest,
  verifyRelease,
} from '../manifest/verify.ts'
import type { ArtifactStore } from './artifact-store.ts'

export interface ReadOptions {
  readonly signal?: AbortSignal | undefined
}

export type ManifestRead =
  | ({ readonly status: 'found'; readonly etag: string } & Verified<Manifest>)
  | { readonly status: 'notModified' }
  | { readonly status: 'missing' }

/**
 * Reads one environment out of a store that is not trusted: everything it returns was verified
 * against the trust root, or against the digest and size that a verified document names.
 *
 * Methods throw `RuntimeError` with the store's codes (`STORE_*`), and as each one says.
 */
export interface VerifiedReader {
  readonly environment: string
  readonly root: TrustRoot
  /**
   * What is polled: `manifest.json`. `etag` makes it a conditional read.
   *
   * @throws RuntimeError as `verifyManifest`: `DOCUMENT_*`, `SIGNER_*`, `SIGNATURE_INVALID`,
   *   `MANIFEST_WRONG_ENVIRONMENT`, `ROOT_MISSING`.
   */
  manifest(options?: ReadOptions & { readonly etag?: string | undefined }): Promise<ManifestRead>
  /**
   * One entry of the history.
   *
   * @throws RuntimeError as `manifest`; `DOCUMENT_MALFORMED` when it holds another version.
   */
  history(
    version: number,
    options?: ReadOptions,
  ): Promise<Exclude<ManifestRead, { status: 'notModified' }>>
  /** @throws RuntimeError `OBJECT_*`, `DOCUMENT_MALFORMED` also when it is another group. */
  group(name: string, ref: ObjectRef, options?: ReadOptions): Promise<GroupDocument>
  /** An empty list for the `null` of a manifest without one. @throws RuntimeError `OBJECT_*` */
  quarantine(ref: ObjectRef | null, options?: ReadOptions): Promise<QuarantineDocument>
  /**
   * @throws RuntimeError `OBJECT_*`, `SIGNER_*`, `SIGNATURE_INVALID`, `RELEASE_MISMATCH` when it is
   *   not what `ref` or the function's name say, `RELEASE_PREVIEW_SCOPE` outside `pr-*`.
   */
  release(ref: ReleaseRef, functionName: string, options?: ReadOptions): Promise<Verified<Release>>
  /**
   * As `release`, but who signed it is not looked at: it is what the manifest names by digest, no more.
   * Before any of its code runs, `release` must have resolved.
   */
  namedRelease(ref: ReleaseRef, functionName: string, options?: ReadOptions): Promise<Release>
  /** The script's exact bytes. @throws RuntimeError `OBJECT_*` */
  artifact(release: Pick<Release, 'artifact'>, options?: ReadOptions): Promise<Uint8Array>
  /** Null when the release has none. @throws RuntimeError `OBJECT_*` */
  sourceMap(
    release: Pick<Release, 'artifact' | 'sourceMap'>,
    options?: ReadOptions,
  ): Promise<Uint8Array | null>
}

export function createVerifiedReader(options: {
  readonly store: ArtifactStore
  readonly environment: string
  readonly root: TrustRoot
}): VerifiedReader {
  const { store, environment, root } = options

  async function readManifest(
    key: string,
    read: ReadOptions & { readonly etag?: string | undefined },
  ): Promise<ManifestRead> {
    const got = await store.get(key, {
      maxBytes: sizeLimit.manifestBytes,
      ifNoneMatch: read.etag,
      signal: read.signal,
    })
    if (got.status !== 'found') return got
    const verified = await verifyManifest(got.bytes, root, environment, key)
    return { status: 'found', etag: got.etag, ...verified }
  }

  const readRelease = (ref: ReleaseRef, key: string, read?: ReadOptions): Promise<Uint8Array> =>
    readObject(store, key, { digest: ref.release, sizeBytes: ref.sizeBytes }, read)

  /** Mix-and-match: a genuine release of something else, or one that would slip past a quarantine. */
  const assertReleaseIs = (
    release: Release,
    { ref, functionName, key }: { ref: ReleaseRef; functionName: string; key: string },
  ): void => {
    const fault = mismatchOf(release, ref, functionName)
    if (fault !== null) {
      throw new RuntimeError('RELEASE_MISMATCH', `${key} ${fault}`, {
        details: { key, function: functionName },
      })
    }
    if (release.scope === 'preview' && !isPreviewEnvironment(environment)) {
      throw new RuntimeError(
        'RELEASE_PREVIEW_SCOPE',
        `${key} of ${functionName} was released for previews; "${environment}" serves production releases only`,
        { details: { key, function: functionName, environment } },
      )
    }
  }

  return {
    environment,
    root,

    manifest: (read = {}) => readManifest(objectKey.manifest(environment), read),

    async history(version, { signal } = {}) {
      const key = objectKey.history(environment, version)
      const entry = await readManifest(key, { signal })
      if (entry.status === 'notModified') throw new TypeError('an unconditional read was 304')
      if (entry.status === 'found' && entry.document.version !== version) {
        // Mix-and-match: a genuine entry under another's number would rewrite history.
        throw new RuntimeError(
          'DOCUMENT_MALFORMED',
          `${key} holds version ${entry.document.version}`,
          { details: { key, version: entry.document.version } },
        )
      }
      return entry
    },

    async group(name, ref, read) {
      const key = objectKey.group(environment, ref.digest)
      const group = await parseGroupDocument(await readObject(store, key, ref, read), key)
      if (group.group !== name) {
        throw new RuntimeError(
          'DOCUMENT_MALFORMED',
          `${key} is group "${group.group}", but the manifest names it as "${name}"`,
          { details: { key, group: group.group, expected: name } },
        )
      }
      return group
    },

    async quarantine(ref, read) {
      if (ref === null) return emptyQuarantine
      const key = objectKey.quarantine(environment, ref.digest)
      return parseQuarantineDocument(await readObject(store, key, ref, read), key)
    },

    async release(ref, functionName, read) {
      const key = objectKey.release(ref.release)
      const verified = await verifyRelease(await readRelease(ref, key, read), root, key)
      assertReleaseIs(verified.document, { ref, functionName, key })
      return verified
    },

    async namedRelease(ref, functionName, read) {
      const key = objectKey.release(ref.release)
      const release = readNamedRelease(await readRelease(ref, key, read), key)
      assertReleaseIs(release, { ref, functionName, key })
      return release
    },

    artifact: ({ artifact }, read) =>
      readObject(store, objectKey.artifact(artifact.digest), artifact, read),

    async sourceMap({ artifact, sourceMap }, read) {
      if (sourceMap === null) return null
      return readObject(store, objectKey.sourceMap(artifact.digest), sourceMap, read)
    },
  }
}

const emptyQuarantine: QuarantineDocument = Object.freeze({
  specVersion: 1,
  entries: Object.freeze([]),
})

/** Reads what `ref` names and nothing else: not a byte more, not a byte different. */
async function readObject(
  store: ArtifactStore,
  key: string,
  ref: { readonly digest: Digest; readonly sizeBytes: number },
  options: ReadOptions = {},
): Promise<Uint8Array> {
  const { digest, sizeBytes } = ref
  const details = { key, digest, sizeBytes }
  const wrongSize = (found: string, cause?: unknown): RuntimeError =>
    new RuntimeError(
      'OBJECT_SIZE_MISMATCH',
      `${key} has ${found} bytes, its reference says ${sizeBytes}; it was cut short or replaced; restore it, or publish a change of what it describes`,
      { details, cause },
    )
  const got = await store
    .get(key, { maxBytes: sizeBytes, signal: options.signal })
    .catch((error: unknown) => {
      throw isRuntimeError(error, 'DOCUMENT_TOO_LARGE') ? wrongSize('more', error) : error
    })
  if (got.status !== 'found') {
    throw new RuntimeError(
      'OBJECT_MISSING',
      `${key} is not in ${store.location}; restore it, or publish a change of what it describes`,
      { details },
    )
  }
  if (got.bytes.byteLength !== sizeBytes) throw wrongSize(String(got.bytes.byteLength))
  if (digestOf(got.bytes) !== digest) {
    throw new RuntimeError(
      'OBJECT_DIGEST_MISMATCH',
      `${key} does not hold what its name says; it was altered: restore it, or publish a change of what it describes`,
      { details },
    )
  }
  return got.bytes
}

/** What of the release is not as its reference says; null when all is. */
function mismatchOf(release: Release, ref: ReleaseRef, functionName: string): string | null {
  if (release.function !== functionName) {
    return `is a release of ${release.function}, not of ${functionName}`
  }
  if (release.artifact.digest !== ref.artifact) {
    return `of ${functionName} names another artifact than its group document`
  }
  if (release.settingsDigest !== ref.settings) {
    return `of ${functionName} names other settings than its group document`
  }
  return null
}
