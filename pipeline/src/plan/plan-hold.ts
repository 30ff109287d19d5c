import { type CoveredHold, shortDigest } from '@needle-faas/runtime/manifest'
import { holdBelowStop, putBelowStop } from './below-stop.ts'
import { holdBy, type Order, planOrder } from './order.ts'
import type { Plan } from './plan.ts'

export interface HoldOrder extends Order {
  /** Answer 503 instead of keeping the revision. */
  readonly stop: boolean
  /** ISO 8601; only reminds. */
  readonly until: string | null
}

/**
 * The function stays as it is, a running canary at its weight included, or is stopped, whatever is
 * merged, until someone clears it. A stop is put over a hold that is there; a hold takes the place
 * of one, and lets nothing serve that is stopped. Ordered again, as after a failure to be sure, it
 * changes nothing.
 */
export function planHold(order: HoldOrder): Plan {
  return planOrder(order, (state) => {
    const { hold, stable } = state
    const present = order.stop ? hold : holdBelowStop(hold)
    if (present !== null && isSaidAgain(order, present)) return null
    const { until } = order
    const reminder = until === null ? '' : `, to be looked at again ${until}`
    if (order.stop) {
      const stop = holdBy(order, { mode: 'stopped', until })
      return {
        next: { ...state, hold: putBelowStop(stop, holdBelowStop(hold)) },
        changes: [{ kind: 'stopped', text: `stopped, answers 503${reminder}` }],
      }
    }
    const when = hold?.mode === 'stopped' ? ' once it is resumed, stays stopped' : ''
    return {
      next: { ...state, hold: putBelowStop(hold, holdBy(order, { until })) },
      changes: [{ kind: 'held', text: `held at ${shortDigest(stable.release)}${when}${reminder}` }],
    }
  })
}

function isSaidAgain({ actor, reason, until, stop }: HoldOrder, hold: CoveredHold): boolean {
  const isOfKind = stop ? hold.mode === 'stopped' : hold.mode === 'revision' && !hold.endsWithMerge
  return isOfKind && hold.by === actor && hold.reason === reason && hold.until === until
}
