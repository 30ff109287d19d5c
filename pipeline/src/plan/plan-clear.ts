import { type FunctionState, shortDigest } from '@needle-faas/runtime/manifest'
import { type Change } from './plan.ts'
import { type Order, type OrderRefusal, planOrder } from './order.ts'
import { isPairNamed, pairName } from './pair.ts'
import type { Plan } from './plan.ts'
import { signedBefore } from './signed-before.ts'

export interface ClearOrder extends Order {
  /** End the hold. */
  readonly hold: boolean
  /** Allow this pair again, named as `needle status` prints it; null clears none. */
  readonly quarantine: string | null
}

/**
 * Ends a hold, allows a quarantined pair again, or both. What serves changes with the next publish
 * only, except that a stopped function serves again: of a stop, all of it ends, with the hold it was
 * put over.
 */
export function planClear(order: ClearOrder): Plan {
  return planOrder(order, (state) => {
    const listed = order.state.quarantine.filter((entry) => entry.function === order.function)
    const changes: Omit<Change, 'function'>[] = []

    if (!order.hold && order.quarantine === null) {
      return nothing(order, 'say what to clear: --hold, --quarantine <pair> or both')
    }
    if (order.hold && state.hold === null) {
      const done = order.quarantine === null ? signedBefore(order, state, 'it is not held') : null
      return done ?? nothing(order, 'it is not held')
    }
    if (order.hold) {
      changes.push(...endsOf(state).map((text) => ({ kind: 'hold-ended' as const, text })))
    }

    const typed = order.quarantine
    const cleared = typed === null ? [] : listed.filter((entry) => isPairNamed(entry, typed))
    if (typed !== null && cleared.length !== 1) {
      const pairs = listed.map(pairName).join(', ') || 'none'
      return nothing(
        order,
        `${typed} means ${cleared.length === 0 ? 'none' : 'more than one'} of its quarantined pairs (${pairs})`,
      )
    }
    for (const entry of cleared) {
      changes.push({ kind: 'quarantine-cleared', text: `${pairName(entry)} may serve again` })
    }
    return {
      next: order.hold ? { ...state, hold: null } : state,
      changes,
      quarantine: order.state.quarantine.filter((entry) => !cleared.includes(entry)),
    }
  })
}

function endsOf({ hold, stable }: FunctionState): readonly string[] {
  if (hold === null) return []
  if (hold.mode === 'revision') return [`hold of ${hold.by} cleared`]
  return [
    `stop of ${hold.by} cleared, serves ${shortDigest(stable.release)}`,
    ...(hold.covers === undefined ? [] : [`hold of ${hold.covers.by} below it cleared as well`]),
  ]
}

function nothing(order: Order, why: string): OrderRefusal {
  return { code: 'NOTHING_TO_CLEAR', message: `Nothing to clear on ${order.function}: ${why}` }
}
