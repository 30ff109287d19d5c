import type { ReleaseRef } from '../manifest/group-document.ts'
import type { Settings } from '../manifest/settings.ts'
import type { LazyRevision } from './lazy-revision.ts'
import type { CanaryTarget } from './plan-activation.ts'

/** What serves one function. Immutable: a change is another slot. */
export interface Slot {
  readonly function: string
  /** Null while nothing may serve: all of it is quarantined or did not load. */
  readonly stable: { readonly ref: ReleaseRef; readonly revision: LazyRevision } | null
  readonly canary: (CanaryTarget & { readonly revision: LazyRevision }) | null
  /** Stable's. A canary's route takes effect when it is promoted. */
  readonly http: Settings['http']
  readonly stopped: boolean
  /** Epoch milliseconds. */
  readonly since: number
  /** Version of the manifest that made it so. */
  readonly manifestVersion: number
}

/** Whether both serve the same releases in the same way, whatever manifest said so. */
export function isSameService(a: Slot, b: Slot): boolean {
  return (
    a.stable?.ref.release === b.stable?.ref.release &&
    a.canary?.ref.release === b.canary?.ref.release &&
    a.canary?.weightPercent === b.canary?.weightPercent &&
    a.canary?.salt === b.canary?.salt &&
    a.stopped === b.stopped
  )
}

/** A slot whose calls are divided between two revisions. */
export interface DividedSlot extends Slot {
  readonly stable: NonNullable<Slot['stable']>
  readonly canary: NonNullable<Slot['canary']>
}

export function isDivided(slot: Slot): slot is DividedSlot {
  return slot.stable !== null && slot.canary !== null
}

/** Stable's, then the canary's. */
export function revisionsOf(slot: Slot | undefined): readonly LazyRevision[] {
  return [slot?.stable?.revision, slot?.canary?.revision].filter(
    (revision) => revision !== undefined,
  )
}
