import type { Digest } from '../manifest/digest.ts'
import type { FunctionState } from '../manifest/group-document.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { QuarantineEntry } from '../manifest/quarantine.ts'

/** A manifest and all documents it names that concern this instance, verified as a whole. */
export interface DesiredState {
  readonly manifest: Manifest
  /** Of the signed bytes. */
  readonly digest: Digest
  readonly bytes: Uint8Array
  /** By function name, of the subscribed groups. */
  readonly functions: ReadonlyMap<string, FunctionState>
  readonly quarantine: readonly QuarantineEntry[]
}

/** Every release this state names: stable, canary and previous. */
export function releasesOf(state: DesiredState): ReadonlySet<Digest> {
  const releases = new Set<Digest>()
  for (const { stable, previous, rollout } of state.functions.values()) {
    releases.add(stable.release)
    for (const ref of previous) releases.add(ref.release)
    if (rollout !== null) releases.add(rollout.canary.release)
  }
  return releases
}
