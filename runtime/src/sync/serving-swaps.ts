import type { Clock } from '../clock.ts'
import type { RuntimeError } from '../errors.ts'
import { pause } from '../pause.ts'
import type { RolloutIdentity } from './plan-activation.ts'
import type { RevisionPool } from './revision-pool.ts'
import { nextServing, type Serving, type ServingCell, withSlot } from './serving.ts'
import { revisionsOf, type Slot } from './slot.ts'

/** Puts slots in the place of others, each time in one assignment. Loads nothing. */
export interface ServingSwaps {
  /**
   * All of these at once; null takes a function away. Resolves with the functions whose route
   * another one has, when those that were replaced stand by.
   */
  apply(changes: ReadonlyMap<string, Slot | null>): Promise<ReadonlyMap<string, RuntimeError>>
  /** Swaps what of this function may serve no more for what is left without it, or for this. */
  takeOut(functionName: string, successor: Slot['stable']): void
  /** Takes a canary that was stopped here out of service; it ends the calls it has. */
  withdrawCanary(functionName: string): void
  /** Lets this one take over from stable. Returns whether the function is there. */
  replaceStable(functionName: string, stable: NonNullable<Slot['stable']>): boolean
}

export interface ServingSwapsOptions {
  /** What it moves. */
  readonly serving: ServingCell
  readonly pool: Pick<RevisionPool, 'standBy'>
  readonly clock: Clock
  /** Whether the canary of this rollout was stopped here. */
  readonly isTripped: (functionName: string, rollout: RolloutIdentity) => boolean
  readonly onSwap: (changed: readonly Slot[]) => void
}

export function createServingSwaps(options: ServingSwapsOptions): ServingSwaps {
  const { serving, pool, clock } = options

  /**
   * Who is replaced stands by, until it is retired or serves again: of 1,000 this would take 15 ms
   * at once, and one may serve again before its turn has come.
   */
  const relieve = async (replaced: readonly Slot[]): Promise<void> => {
    for (const slot of replaced) {
      const now = revisionsOf(serving.current.slots.get(slot.function))
      for (const revision of revisionsOf(slot)) {
        if (!now.includes(revision)) pool.standBy(revision)
      }
      await pause()
    }
  }

  /** Returns what is replaced, which is to be relieved. */
  const swap = (next: Serving): readonly Slot[] => {
    const before = serving.current
    const changed = [...next.slots.values()].filter(
      (slot) => before.slots.get(slot.function) !== slot,
    )
    serving.current = next
    for (const slot of changed) for (const revision of revisionsOf(slot)) revision.resume()
    if (changed.length > 0 || next.slots.size !== before.slots.size) options.onSwap(changed)
    return changed.flatMap((slot) => before.slots.get(slot.function) ?? [])
  }

  /** To what serves by then: a runaway may be expelled while routes are built. */
  const apply = async (
    changes: ReadonlyMap<string, Slot | null>,
  ): Promise<ReadonlyMap<string, RuntimeError>> => {
    for (;;) {
      const before = serving.current
      const wanted = new Map(before.slots)
      for (const [name, slot] of changes) {
        if (slot === null) wanted.delete(name)
        else wanted.set(name, fitOf(slot))
        await pause()
      }
      const next = await nextServing(before, wanted)
      await pause()
      if (serving.current !== before) continue
      await relieve(swap(next.serving))
      return next.conflicts
    }
  }

  /** Without what has been stopped here. */
  const fitOf = (slot: Slot): Slot => {
    const { canary } = slot
    const isTripped =
      canary !== null && options.isTripped(slot.function, { canary: canary.ref, salt: canary.salt })
    return withoutUnfit(isTripped ? { ...slot, canary: null } : slot)
  }

  /** One function, from now on; routes stay as they are. */
  const replace = (slot: Slot): void => {
    void relieve(swap(withSlot(serving.current, { ...slot, since: clock.now() })))
  }

  return {
    apply,
    takeOut: (name, successor) => {
      const before = serving.current.slots.get(name)
      if (before === undefined || withoutUnfit(before) === before) return
      const left = withoutUnfit(before)
      replace({ ...left, stable: left.stable ?? successor })
    },
    withdrawCanary: (name) => {
      const slot = serving.current.slots.get(name)
      if (slot !== undefined && fitOf(slot) !== slot) replace(fitOf(slot))
    },
    replaceStable: (name, stable) => {
      const slot = serving.current.slots.get(name)
      if (slot === undefined) return false
      replace({ ...slot, stable })
      return true
    },
  }
}

function withoutUnfit(slot: Slot): Slot {
  const stable = mayServe(slot.stable) ? slot.stable : null
  const canary = mayServe(slot.canary) ? slot.canary : null
  return stable === slot.stable && canary === slot.canary ? slot : { ...slot, stable, canary }
}

function mayServe(side: Slot['stable' | 'canary']): boolean {
  return side !== null && !side.revision.isUnfit && !side.revision.isRetired
}
