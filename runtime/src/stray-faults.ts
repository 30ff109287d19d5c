import type { Clock } from './clock.ts'
import type { Attribution } from './function/attribution.ts'
import { functionOf } from './function/revision.ts'
import type { MetricsRegistry } from './metrics/metrics-registry.ts'
import type { ServingCell } from './sync/serving.ts'
import type { Rollouts } from './sync/rollouts.ts'
import type { StableGuards } from './sync/stable-guards.ts'

export interface StrayFaultsOptions {
  readonly clock: Clock
  readonly registry: MetricsRegistry
  readonly serving: ServingCell
  readonly rollouts: Rollouts
  readonly stableGuards: Pick<StableGuards, 'guarded'>
}

/** Of work that belongs to no call. */
const backgroundMs = 1000

/**
 * Counts a failure that nobody awaited as a call more that failed: it would have ended the process,
 * and comes too late to change what was said of its own call. Whatever a call leaves behind counts
 * once, or one call in a loop would be evidence of many; what fails outside any call, once a second.
 */
export function createStrayFaults(options: StrayFaultsOptions): (charged: Attribution) => void {
  const { clock, registry, serving, rollouts, stableGuards } = options
  const countedAt = new WeakMap<Attribution, number>()

  const isCounted = (charged: Attribution): boolean => {
    const before = countedAt.get(charged)
    if (before === undefined) return false
    return charged.requestId !== null || Math.abs(clock.now() - before) < backgroundMs
  }

  return (charged) => {
    if (isCounted(charged)) return
    countedAt.set(charged, clock.now())
    const name = functionOf(charged.revision)
    const metrics = registry.find(name, charged.revision)
    if (metrics !== null) metrics.strayFaults += 1
    const slot = serving.current.slots.get(name)
    if (slot === undefined) return
    const { stable, canary } = slot
    if (canary !== null) {
      const side = charged.revision === canary.revision.id ? 'canary' : 'stable'
      if (side === 'stable' && charged.revision !== stable?.revision.id) return
      rollouts.of(name, canary).record({ side, isFault: true, durationMs: null })
    } else if (charged.revision === stable?.revision.id) {
      stableGuards.guarded.get(name)?.record(true)
    }
  }
}
