import { digestOf, objectKey, type ReleaseRef, signDocument } from '@needle-faas/runtime/manifest'
import {
  type ArtifactStore,
  createMemoryStore,
  createVerifiedReader,
  systemClock,
} from '@needle-faas/runtime/store'
import {
  testRelease,
  testReleaseRef,
} from '../../../runtime/src/manifest/testing/test-documents.ts'
import type { TestTrust } from '../../../runtime/src/manifest/testing/test-trust.ts'
import { planPublish, type PublishInput } from '../../src/plan/plan-publish.ts'
import { changeEnvironment, type ChangeOutcome } from '../../src/publish/change-environment.ts'
import type { Publisher } from '../../src/publish/publisher.ts'
import type { Upload } from '../../src/publish/upload.ts'

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
  const release = testRelease(name, code, { inputs: digestOf(`inputs ${code}`) })
  const bytes = new TextEncoder().encode(code)
  const signed = await signDocument({ kind: 'release', payload: release }, [trust.signers.release])
  const ref = testReleaseRef(signed, release)
  return {
    ref,
    uploads: [
      [{ key: objectKey.artifact(ref.artifact), read: async () => bytes }],
      [{ key: objectKey.release(ref.release), read: async () => signed }],
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
