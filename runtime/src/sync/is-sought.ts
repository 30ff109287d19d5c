import type { Digest } from '../manifest/digest.ts'
import { findQuarantined } from '../manifest/quarantine.ts'
import type { DesiredState } from './desired-state.ts'
import type { Serving } from './serving.ts'

/**
 * Whether this release would change what serves here if it loaded: a desired one that does not serve,
 * or, where nothing serves, one proven before. Only such failures are worth remembering: one that
 * nobody tries again would seem due for ever.
 */
export function isSought(
  { function: name, release }: { readonly function: string; readonly release: Digest },
  desired: Pick<DesiredState, 'functions' | 'quarantine'>,
  serving: Serving,
): boolean {
  const state = desired.functions.get(name)
  if (state === undefined) return false
  const slot = serving.slots.get(name)
  const isServed = [slot?.stable, slot?.canary].some((side) => side?.ref.release === release)
  const canary = state.hold?.mode === 'stopped' ? undefined : state.rollout?.canary
  const proven = (slot?.stable ?? null) === null ? state.previous : []
  const ref = [state.stable, canary, ...proven].find((each) => each?.release === release)
  return !isServed && ref !== undefined && !findQuarantined(desired.quarantine, name, ref)
}
