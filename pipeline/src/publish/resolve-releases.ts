import {
  type BuildRecord,
  digestOf,
  type GroupDocument,
  objectKey,
  type Provenance,
  type Release,
  type ReleaseRef,
  signDocument,
  sizeLimit,
} from '@needle-faas/runtime/manifest'
import type { BuildDirectory } from '../build/build-directory.ts'
import type { BuiltFunction } from '../build/build-manifest.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { releasesOf, toFunctionStates } from '../plan/function-states.ts'
import { type BuildEntry, findKnown, verifyReused } from './known-release.ts'
import type { Publisher } from './publisher.ts'
import type { Upload } from './upload.ts'

/** What the functions of a build are called in the store, and what must be stored for that. */
export interface ResolvedReleases {
  /** By full name. */
  readonly wanted: ReadonlyMap<string, ReleaseRef>
  /** What a draft with these groups needs stored, in stages: artifacts, releases, build records. */
  readonly uploadsFor: (
    groups: Readonly<Record<string, GroupDocument>>,
  ) => readonly (readonly Upload[])[]
}

export interface ResolveInput {
  readonly publisher: Publisher
  readonly build: BuildDirectory
  readonly provenance: Provenance
}

/**
 * Gives every function of a build its release. What the environment serves or keeps warm with the
 * same artifact and settings keeps its release; what the build found in the store is verified
 * there; the rest is signed now, once however often the result is asked for.
 */
export function createReleaseResolver(
  input: ResolveInput,
): (state: EnvironmentState) => Promise<ResolvedReleases> {
  const resolved = new Map<string, Promise<ResolvedFunction>>()
  return async (state) => {
    const states = toFunctionStates(state.groups)
    const entries = await Promise.all(
      input.build.manifest.functions.map(async (entry) => {
        const known = findKnown(states.get(entry.name), entry)
        const pending = resolved.get(entry.name) ?? resolve(input, entry, known !== undefined)
        resolved.set(entry.name, pending)
        const { ref, uploads } = await pending
        return { name: entry.name, ref: known ?? ref, uploads, isNamed: known === undefined }
      }),
    )
    return {
      wanted: new Map(entries.map(({ name, ref }) => [name, ref])),
      uploadsFor: (groups) => {
        const named = new Set(
          [...toFunctionStates(groups).values()].flatMap(releasesOf).map(({ release }) => release),
        )
        const needed = entries.filter(({ ref, isNamed }) => !isNamed || named.has(ref.release))
        return [0, 1, 2].map((stage) => needed.flatMap(({ uploads }) => uploads[stage] ?? []))
      },
    }
  }
}

interface ResolvedFunction {
  readonly ref: ReleaseRef
  readonly uploads: readonly (readonly Upload[])[]
}

/**
 * `isKnown`: artifact and settings are what the environment has, so that its release stays. What
 * was built from inputs nobody has recorded (another test, say) gets a release and a record all the
 * same, else it would be checked and built again at every deployment.
 */
async function resolve(
  input: ResolveInput,
  entry: BuildEntry,
  isKnown: boolean,
): Promise<ResolvedFunction> {
  if (entry.status === 'reused') {
    if (!isKnown) await verifyReused(input.publisher.access, entry)
    return { ref: entry.release, uploads: [] }
  }
  const signed = await signBuilt(input, entry)
  const isRecorded = isKnown && (await hasRecord(input, entry))
  return isRecorded ? { ...signed, uploads: [] } : signed
}

async function hasRecord({ publisher }: ResolveInput, { inputs }: BuiltFunction): Promise<boolean> {
  const { store, signal } = publisher.access
  const maxBytes = sizeLimit.buildRecordBytes
  const found = await store.get(objectKey.build(inputs), { maxBytes, signal })
  return found.status === 'found'
}

async function signBuilt(
  { publisher, build, provenance }: ResolveInput,
  entry: BuiltFunction,
): Promise<ResolvedFunction> {
  const { artifact, sourceMap, settings, settingsDigest, contract, inputs } = entry
  const { scope } = build.manifest
  const release: Release = {
    kind: 'release',
    specVersion: 1,
    scope,
    function: entry.name,
    artifact: { digest: artifact.digest, sizeBytes: artifact.sizeBytes },
    sourceMap: { digest: sourceMap.digest, sizeBytes: sourceMap.sizeBytes },
    settings,
    settingsDigest,
    contract,
    inputs,
    provenance,
    builtAt: new Date(publisher.clock.now()).toISOString(),
  }
  const bytes = await signDocument({ kind: 'release', payload: release }, [publisher.signer])
  const ref: ReleaseRef = {
    release: digestOf(bytes),
    sizeBytes: bytes.byteLength,
    artifact: artifact.digest,
    settings: settingsDigest,
  }
  const record: BuildRecord = { specVersion: 1, function: entry.name, scope, inputs, release: ref }
  return {
    ref,
    uploads: [
      [
        { key: objectKey.artifact(artifact.digest), read: async () => build.bytes(artifact) },
        // A map names its artifact, whose digest its key is made of.
        { key: objectKey.sourceMap(artifact.digest), read: async () => build.bytes(sourceMap) },
      ],
      [{ key: objectKey.release(ref.release), read: async () => bytes }],
      [
        {
          key: objectKey.build(inputs),
          read: async () => new TextEncoder().encode(JSON.stringify(record)),
        },
      ],
    ],
  }
}
