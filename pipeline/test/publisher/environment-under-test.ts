import {
  createSigner,
  digestOf,
  generateSigningKey,
  objectKey,
  type Release,
  type ReleaseRef,
  type Role,
  roles,
  settingsDigestOf,
  signDocument,
  type Signer,
  type SigningKey,
  type TrustRoot,
} from '@needle-faas/runtime/manifest'
import {
  type ArtifactStore,
  createMemoryStore,
  createVerifiedReader,
  systemClock,
} from '@needle-faas/runtime/store'
import { planPublish, type PublishInput } from '../../src/plan/plan-publish.ts'
import { changeEnvironment, type ChangeOutcome } from '../../src/publish/change-environment.ts'
import type { Publisher } from '../../src/publish/publisher.ts'
import type { Upload } from '../../src/publish/upload.ts'

export interface TestTrust {
  readonly root: TrustRoot
  readonly rootBytes: Uint8Array
  readonly keys: Readonly<Record<Role, SigningKey>>
  readonly signers: Readonly<Record<Role, Signer>>
}

/** One key per role and the root that names them. */
export async function createTestTrust(): Promise<TestTrust> {
  const made = await Promise.all(
    roles.map(async (role) => {
      const key = await generateSigningKey()
      return { role, key, signer: await createSigner(key.privateJwk) }
    }),
  )
  const find = (role: Role): (typeof made)[number] => {
    const found = made.find((entry) => entry.role === role)
    if (found === undefined) throw new Error(role)
    return found
  }
  const root: TrustRoot = {
    kind: 'trust-root',
    specVersion: 1,
    version: 1,
    epoch: 1,
    issuedAt: '2026-11-22T00:00:00.000Z',
    keys: Object.fromEntries(
      made.map(({ key }) => [key.keyId, { algorithm: key.algorithm, jwk: key.publicJwk }]),
    ),
    roles: forEachRole((role) => ({ keyIds: [find(role).key.keyId], threshold: 1 })),
  }
  return {
    root,
    rootBytes: await signDocument({ kind: 'trust-root', payload: root }, [find('root').signer]),
    keys: forEachRole((role) => find(role).key),
    signers: forEachRole((role) => find(role).signer),
  }
}

function forEachRole<Value>(of: (role: Role) => Value): Record<Role, Value> {
  return {
    root: of('root'),
    release: of('release'),
    preview: of('preview'),
    operator: of('operator'),
  }
}

export function createTestPublisher(
  trust: TestTrust,
  store: ArtifactStore = createMemoryStore(),
): Publisher {
  return {
    access: { store, environment: 'production', root: trust.root },
    signer: trust.signers.release,
    clock: systemClock,
  }
}

export interface TestRelease {
  readonly ref: ReleaseRef
  readonly uploads: readonly (readonly Upload[])[]
}

/** A signed release of a function whose code is `code`. */
export async function createTestRelease(
  trust: TestTrust,
  name: string,
  code: string,
): Promise<TestRelease> {
  const bytes = new TextEncoder().encode(code)
  const settings: Release['settings'] = {
    http: { method: 'POST', path: `/${name}` },
    uses: [],
    timeoutMs: 3_000,
    idempotent: false,
    maxBodyBytes: 1024,
    maxConcurrency: 10,
  }
  const release: Release = {
    kind: 'release',
    specVersion: 1,
    scope: 'production',
    function: name,
    artifact: { digest: digestOf(bytes), sizeBytes: bytes.byteLength },
    sourceMap: null,
    settings,
    settingsDigest: settingsDigestOf(settings),
    contract: { input: null, output: null, unexpressed: [] },
    inputs: digestOf(`inputs ${code}`),
    provenance: {
      repository: null,
      commit: 'c'.repeat(40),
      committedAt: '2026-11-22T00:00:00Z',
      author: 'Ann <ann@acme.test>',
      pullRequest: null,
      build: null,
    },
    builtAt: '2026-11-22T00:00:00.000Z',
  }
  const signed = await signDocument({ kind: 'release', payload: release }, [trust.signers.release])
  const digest = digestOf(signed)
  return {
    ref: {
      release: digest,
      sizeBytes: signed.byteLength,
      artifact: release.artifact.digest,
      settings: release.settingsDigest,
    },
    uploads: [
      [{ key: objectKey.artifact(release.artifact.digest), read: async () => bytes }],
      [{ key: objectKey.release(digest), read: async () => signed }],
    ],
  }
}

/** Publishes exactly these functions, code by name. */
export async function publishCode(
  publisher: Publisher,
  trust: TestTrust,
  code: Readonly<Record<string, string>>,
  more: Partial<PublishInput> = {},
): Promise<ChangeOutcome> {
  const releases = await Promise.all(
    Object.entries(code).map(
      async ([name, text]) => [name, await createTestRelease(trust, name, text)] as const,
    ),
  )
  return changeEnvironment(publisher, async (state) => ({
    plan: planPublish({
      state,
      wanted: new Map(releases.map(([name, { ref }]) => [name, ref])),
      commit: 'd'.repeat(40),
      lineage: 'descends',
      allowOlder: false,
      canarySteps: null,
      policies: new Map(),
      actor: 'Ann',
      reason: 'merge',
      now: publisher.clock.now(),
      salt: 'random-salt',
      ...more,
    }),
    uploads: [0, 1].map((stage) => releases.flatMap(([, { uploads }]) => uploads[stage] ?? [])),
  }))
}

/** What a verifying runtime would serve as stable: code by function name. */
export async function readServedCode(
  store: ArtifactStore,
  trust: TestTrust,
): Promise<Record<string, string>> {
  const reader = createVerifiedReader({ store, environment: 'production', root: trust.root })
  const manifest = await reader.manifest()
  const served: Record<string, string> = {}
  if (manifest.status !== 'found') return served
  await reader.quarantine(manifest.document.quarantine)
  for (const [name, ref] of Object.entries(manifest.document.groups)) {
    const group = await reader.group(name, ref)
    for (const [key, { stable }] of Object.entries(group.functions)) {
      const release = await reader.release(stable, `${name}/${key}`)
      served[`${name}/${key}`] = new TextDecoder().decode(await reader.artifact(release.document))
    }
  }
  return served
}

/** The versions with a history entry, ascending. */
export async function readHistoryVersions(store: ArtifactStore): Promise<number[]> {
  const versions: number[] = []
  for await (const { key } of store.list(objectKey.historyPrefix('production'))) {
    versions.push(Number(/(\d+)\.json$/.exec(key)?.[1]))
  }
  return versions.toSorted((a, b) => a - b)
}
