import type { Digest } from '../manifest/digest.ts'
import { findQuarantined } from '../manifest/quarantine.ts'
import type { DesiredState } from './desired-state.ts'
import type { Serving } from './serving.ts'

/**
 * The releases that would change what serves here if they loaded: desired ones that do not serve,
 * and, where nothing serves, those proven before. Only their failures are worth remembering: one
 * that nobody tries again would seem due for ever.
 */
export function soughtReleases(desired: DesiredState, serving: Serving): ReadonlySet<Digest> {
  const sought = new Set<Digest>()
  for (const [name, { stable, previous, rollout, hold }] of desired.functions) {
    const slot = serving.slots.get(name)
    const serves = new Set([slot?.stable?.ref.release, slot?.canary?.ref.release])
    const isStopped = hold?.mode === 'stopped'
    const wanted = [
      stable,
      ...(rollout === null || isStopped ? [] : [rollout.canary]),
      ...((slot?.stable ?? null) === null ? previous : []),
    ]
    for (const ref of wanted) {
      const isQuarantined = findQuarantined(desired.quarantine, name, ref) !== undefined
      if (!isQuarantined && !serves.has(ref.release)) sought.add(ref.release)
    }
  }
  return sought
}
