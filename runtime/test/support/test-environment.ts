import { digestOf } from '../../src/manifest/digest.ts'
import { signDocument } from '../../src/manifest/envelope.ts'
import type { FunctionState, ReleaseRef } from '../../src/manifest/group-document.ts'
import type { Manifest, ObjectRef } from '../../src/manifest/manifest.ts'
import { objectKey } from '../../src/manifest/object-key.ts'
import type { QuarantineEntry } from '../../src/manifest/quarantine.ts'
import type { Settings } from '../../src/manifest/settings.ts'
import type { Signer } from '../../src/manifest/signing-key.ts'
import {
  testGroup,
  testManifest,
  testRelease,
  testSettings,
} from '../../src/manifest/testing/test-documents.ts'
import { createTestTrust, type TestTrust } from '../../src/manifest/testing/test-trust.ts'
import type { ArtifactStore } from '../../src/store/artifact-store.ts'
import { createMemoryStore } from '../../src/store/memory.ts'
import { writeTestRelease } from '../../src/store/testing/write-test-environment.ts'

/** Publishes signed documents into a store as a pipeline would, without one. */
export interface TestEnvironment {
  readonly store: ArtifactStore
  readonly trust: TestTrust
  /** Version of the newest manifest; 0 before the first. */
  readonly version: number
  /** Stores a release of a handler's source text, such as `async () => ({ v: 1 })`. */
  release(functionName: string, handler: string, options?: ReleaseOptions): Promise<ReleaseRef>
  /**
   * Stores a manifest over these functions of group `shop`, the text of a handler standing for a
   * release of it; the next version unless said otherwise.
   */
  publish(
    functions: Readonly<Record<string, string | ReleaseRef | FunctionState>>,
    options?: PublishOptions,
  ): Promise<Uint8Array>
}

export interface ReleaseOptions {
  readonly settings?: Partial<Settings>
  /** The whole script instead of one around the handler. */
  readonly script?: string
  /** Stored beside the script. */
  readonly sourceMap?: string
  readonly scope?: 'production' | 'preview'
  readonly signer?: Signer
}

export interface PublishOptions {
  readonly manifest?: Partial<Manifest>
  readonly signer?: Signer
  readonly quarantine?: readonly QuarantineEntry[]
}

export async function createTestEnvironment(
  store: ArtifactStore = createMemoryStore(),
): Promise<TestEnvironment> {
  const trust = await createTestTrust()
  const environment = 'production'
  let version = 0

  const release: TestEnvironment['release'] = async (functionName, handler, options = {}) => {
    const { sourceMap: map } = options
    const script = options.script ?? `var __needle_function = { default: ${handler} }`
    const document = testRelease(functionName, script, {
      sourceMap:
        map === undefined ? null : { digest: digestOf(map), sizeBytes: Buffer.byteLength(map) },
      scope: options.scope ?? 'production',
      settings: testSettings(functionName, {
        http: { method: 'GET', path: `/${functionName}` },
        ...options.settings,
      }),
    })
    if (map !== undefined) {
      await store.put(objectKey.sourceMap(document.artifact.digest), Buffer.from(map))
    }
    return writeTestRelease(store, options.signer ?? trust.signers.release, document, script)
  }

  return {
    store,
    trust,
    get version() {
      return version
    },
    release,
    publish: async (given, options = {}) => {
      const functions: Record<string, ReleaseRef | FunctionState> = {}
      for (const [name, each] of Object.entries(given)) {
        functions[name] = typeof each === 'string' ? await release(`shop/${name}`, each) : each
      }
      version = options.manifest?.version ?? version + 1
      const group = await putObject(store, testGroup('shop', functions), (digest) =>
        objectKey.group(environment, digest),
      )
      const entries = options.quarantine ?? []
      const quarantine =
        entries.length === 0
          ? null
          : await putObject(store, { specVersion: 1, entries }, (digest) =>
              objectKey.quarantine(environment, digest),
            )
      const manifest = testManifest({
        version,
        groups: { shop: group },
        quarantine,
        ...options.manifest,
      })
      const signed = await signDocument({ kind: 'manifest', payload: manifest }, [
        options.signer ?? trust.signers.release,
      ])
      await store.put(objectKey.manifest(environment), signed)
      return signed
    },
  }
}

async function putObject(
  store: ArtifactStore,
  document: unknown,
  keyOf: (digest: ObjectRef['digest']) => string,
): Promise<ObjectRef> {
  const bytes = Buffer.from(JSON.stringify(document))
  const digest = digestOf(bytes)
  await store.put(keyOf(digest), bytes)
  return { digest, sizeBytes: bytes.byteLength }
}
