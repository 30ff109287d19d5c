import type { Digest } from '../manifest/digest.ts'
import type { FunctionState, ReleaseRef } from '../manifest/group-document.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { QuarantineEntry } from '../manifest/quarantine.ts'
import type { Verified } from '../manifest/verify.ts'
import { pause } from '../pause.ts'
import type { VerifiedReader } from '../store/verified-reader.ts'

/** A manifest and all documents it names that concern this instance, verified as a whole. */
export interface DesiredState {
  readonly manifest: Manifest
  /** Of the signed bytes. */
  readonly digest: Digest
  readonly bytes: Uint8Array
  /** By function name, of the subscribed groups. */
  readonly functions: ReadonlyMap<string, FunctionState>
  /** Subscribed groups the manifest does not know. */
  readonly missingGroups: readonly string[]
  readonly quarantine: readonly QuarantineEntry[]
}

/**
 * Reads every document of a verified manifest that these groups need: all of them or none.
 *
 * @throws RuntimeError as `VerifiedReader`
 */
export async function readDesiredState(
  reader: VerifiedReader,
  verified: Verified<Manifest>,
  options: { readonly groups: readonly string[]; readonly signal?: AbortSignal },
): Promise<DesiredState> {
  const { document: manifest, digest, bytes } = verified
  const { signal } = options
  const known = options.groups.filter((group) => Object.hasOwn(manifest.groups, group))
  const [quarantine, ...groups] = await Promise.all([
    reader.quarantine(manifest.quarantine, { signal }),
    ...known.map(async (name) => {
      const ref = manifest.groups[name]
      return ref === undefined ? null : reader.group(name, ref, { signal })
    }),
  ])
  const functions = new Map<string, FunctionState>()
  for (const group of groups) {
    for (const [name, state] of Object.entries(group?.functions ?? {})) {
      await pause()
      functions.set(`${group?.group}/${name}`, state)
    }
  }
  return {
    manifest,
    digest,
    bytes,
    functions,
    missingGroups: options.groups.filter((group) => !known.includes(group)),
    quarantine: quarantine.entries,
  }
}

/** Of all objects a boot from this state may need, and of these further releases; in turns. */
export async function digestsOf(
  { manifest, ...state }: DesiredState,
  further: readonly ReleaseRef[],
): Promise<ReadonlySet<Digest>> {
  const digests = new Set(Object.values(manifest.groups).map((group) => group.digest))
  if (manifest.quarantine !== null) digests.add(manifest.quarantine.digest)
  for (const ref of [...(await refsOf(state)), ...further]) {
    digests.add(ref.release).add(ref.artifact)
    await pause()
  }
  return digests
}

/** All releases a state names; in turns. */
export async function refsOf({
  functions,
}: Pick<DesiredState, 'functions'>): Promise<readonly ReleaseRef[]> {
  const refs: ReleaseRef[] = []
  for (const { stable, previous, rollout } of functions.values()) {
    refs.push(stable, ...previous)
    if (rollout !== null) refs.push(rollout.canary)
    await pause()
  }
  return refs
}
