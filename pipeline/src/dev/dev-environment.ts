import {
  canonicalJson,
  type Contract,
  createSigner,
  type Digest,
  digestOf,
  type FunctionState,
  generateSigningKey,
  manifestLifetimeMs,
  objectKey,
  type Release,
  type ReleaseRef,
  type Settings,
  settingsDigestOf,
  type Signer,
  signDocument,
  type TrustRoot,
} from '@needle-faas/runtime/manifest'
import { type ArtifactStore, createMemoryStore } from '@needle-faas/runtime/store'

/** A function as it should be served now. */
export interface DevFunction {
  /** `<group>/<name>`. */
  readonly name: string
  readonly artifact: Uint8Array
  readonly sourceMap: Uint8Array | null
  readonly settings: Settings
  readonly contract: Contract
}

/** A store in memory with keys of its own, so that `needle dev` serves through the very path production takes. */
export interface DevEnvironment {
  readonly store: ArtifactStore
  /** The pinned trust root document. */
  readonly trust: Uint8Array
  /** Makes these functions, and no others, the desired state. */
  publish(functions: readonly DevFunction[]): Promise<void>
}

export const devEnvironmentName = 'development'

export async function createDevEnvironment(): Promise<DevEnvironment> {
  const store = createMemoryStore()
  const { signer, trust } = await createTrust()
  let version = 0
  let previous: Digest | null = null

  const put = async (key: string, bytes: Uint8Array): Promise<void> => {
    await store.put(key, bytes)
  }

  const release = async (dev: DevFunction): Promise<ReleaseRef> => {
    const document = toRelease(dev)
    const bytes = await signDocument({ kind: 'release', payload: document }, [signer])
    const digest = digestOf(bytes)
    await put(objectKey.artifact(document.artifact.digest), dev.artifact)
    if (document.sourceMap !== null && dev.sourceMap !== null) {
      await put(objectKey.sourceMap(document.artifact.digest), dev.sourceMap)
    }
    await put(objectKey.release(digest), bytes)
    return {
      release: digest,
      sizeBytes: bytes.byteLength,
      artifact: document.artifact.digest,
      settings: document.settingsDigest,
    }
  }

  const publish = async (functions: readonly DevFunction[]): Promise<void> => {
    const states = new Map<string, Record<string, FunctionState>>()
    for (const dev of functions) {
      const [group = '', name = ''] = dev.name.split('/')
      const state = { stable: await release(dev), previous: [], rollout: null, hold: null }
      states.set(group, { ...states.get(group), [name]: state })
    }
    const refs = await Promise.all(
      [...states].map(async ([group, members]) => {
        const document = canonicalJson({ specVersion: 1, group, functions: members })
        const bytes = new TextEncoder().encode(document)
        const digest = digestOf(bytes)
        await put(objectKey.group(devEnvironmentName, digest), bytes)
        return [group, { digest, sizeBytes: bytes.byteLength }] as const
      }),
    )
    version += 1
    const issuedAt = Date.now()
    const manifest = await signDocument(
      {
        kind: 'manifest',
        payload: {
          kind: 'manifest',
          specVersion: 1,
          environment: devEnvironmentName,
          epoch: 1,
          version,
          rootVersion: 1,
          publishId: crypto.randomUUID(),
          issuedAt: new Date(issuedAt).toISOString(),
          expiresAt: new Date(issuedAt + manifestLifetimeMs).toISOString(),
          commit: null,
          actor: 'needle dev',
          reason: 'a file changed',
          previous,
          quarantine: null,
          requires: [],
          groups: Object.fromEntries(refs),
        },
      },
      [signer],
    )
    previous = digestOf(manifest)
    await put(objectKey.manifest(devEnvironmentName), manifest)
  }

  return { store, trust, publish }
}

/** One key for root and release: it never leaves this process. */
async function createTrust(): Promise<{ signer: Signer; trust: Uint8Array }> {
  const key = await generateSigningKey()
  const signer = await createSigner(key.privateJwk)
  const trusted = { keyIds: [key.keyId], threshold: 1 }
  const nobody = { keyIds: [], threshold: 1 }
  const root: TrustRoot = {
    kind: 'trust-root',
    specVersion: 1,
    version: 1,
    epoch: 1,
    issuedAt: new Date().toISOString(),
    keys: { [key.keyId]: { algorithm: key.algorithm, jwk: key.publicJwk } },
    roles: { root: trusted, release: trusted, preview: nobody, operator: nobody },
  }
  const trust = await signDocument({ kind: 'trust-root', payload: root }, [signer])
  return { signer, trust }
}

function toRelease(dev: DevFunction): Release {
  return {
    kind: 'release',
    specVersion: 1,
    scope: 'production',
    function: dev.name,
    artifact: { digest: digestOf(dev.artifact), sizeBytes: dev.artifact.byteLength },
    sourceMap:
      dev.sourceMap === null
        ? null
        : { digest: digestOf(dev.sourceMap), sizeBytes: dev.sourceMap.byteLength },
    settings: dev.settings,
    settingsDigest: settingsDigestOf(dev.settings),
    contract: dev.contract,
    inputs: digestOf(dev.artifact),
    provenance: {
      repository: null,
      commit: '0'.repeat(40),
      committedAt: new Date(0).toISOString(),
      author: 'needle dev',
      pullRequest: null,
      build: null,
    },
    builtAt: new Date(0).toISOString(),
  }
}
