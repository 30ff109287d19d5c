import { digestOf } from '../../manifest/digest.ts'
import { signDocument } from '../../manifest/envelope.ts'
import type { ReleaseRef } from '../../manifest/group-document.ts'
import type { Manifest, ObjectRef } from '../../manifest/manifest.ts'
import { objectKey } from '../../manifest/object-key.ts'
import type { Release } from '../../manifest/release.ts'
import type { Signer } from '../../manifest/signing-key.ts'
import {
  testGroup,
  testManifest,
  testRelease,
  testReleaseRef,
} from '../../manifest/testing/test-documents.ts'
import type { TestTrust } from '../../manifest/testing/test-trust.ts'
import type { ArtifactStore } from '../artifact-store.ts'

export interface TestEnvironment {
  readonly manifest: Manifest
  /** The signed bytes, stored both as history and as `manifest.json`. */
  readonly manifestBytes: Uint8Array
  /** By function name. */
  readonly releases: Readonly<
    Record<string, { readonly release: Release; readonly ref: ReleaseRef }>
  >
}

/**
 * Publishes an environment the way a publisher does, with every function stable: artifacts,
 * releases, groups, history entry, manifest.
 *
 * @param functions - Artifact source by function name.
 */
export async function writeTestEnvironment(
  store: ArtifactStore,
  trust: TestTrust,
  functions: Readonly<Record<string, string>>,
  overrides: Partial<Manifest> = {},
): Promise<TestEnvironment> {
  const releases: Record<string, { release: Release; ref: ReleaseRef }> = {}
  for (const [name, source] of Object.entries(functions)) {
    const release = testRelease(name, source)
    releases[name] = {
      release,
      ref: await writeTestRelease(store, trust.signers.release, release, source),
    }
  }
  const environment = overrides.environment ?? 'production'
  const groups: Record<string, ObjectRef> = {}
  for (const group of new Set(Object.keys(functions).map((name) => name.split('/')[0] ?? ''))) {
    const inGroup = Object.entries(releases)
      .filter(([name]) => name.startsWith(`${group}/`))
      .map(([name, { ref }]) => [name.slice(group.length + 1), ref] as const)
    const document = testGroup(group, Object.fromEntries(inGroup))
    const bytes = new TextEncoder().encode(JSON.stringify(document))
    const digest = digestOf(bytes)
    groups[group] = { digest, sizeBytes: bytes.byteLength }
    await store.put(objectKey.group(environment, digest), bytes)
  }
  const manifest = testManifest({ groups, ...overrides })
  const manifestBytes = await signDocument({ kind: 'manifest', payload: manifest }, [
    trust.signers.release,
  ])
  await store.put(objectKey.history(environment, manifest.version), manifestBytes)
  await store.put(objectKey.manifest(environment), manifestBytes)
  return { manifest, manifestBytes, releases }
}

/** Stores a release, signed, and its artifact. */
export async function writeTestRelease(
  store: ArtifactStore,
  signer: Signer,
  release: Release,
  source: string,
): Promise<ReleaseRef> {
  const bytes = await signDocument({ kind: 'release', payload: release }, [signer])
  const ref = testReleaseRef(bytes, release)
  await store.put(objectKey.artifact(release.artifact.digest), new TextEncoder().encode(source))
  await store.put(objectKey.release(ref.release), bytes)
  return ref
}
