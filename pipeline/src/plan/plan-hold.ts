import { shortDigest } from '@needle-faas/runtime/manifest'
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
 * merged, until someone clears it. Replaces a hold that is there.
 */
export function planHold(order: HoldOrder): Plan {
  return planOrder(order, (state) => {
    const reminder = order.until === null ? '' : `, to be looked at again ${order.until}`
    return {
      next: {
        ...state,
        hold: holdBy(order, { mode: order.stop ? 'stopped' : 'revision', until: order.until }),
      },
      changes: [
        order.stop
          ? { kind: 'stopped', text: `stopped, answers 503${reminder}` }
          : { kind: 'held', text: `held at ${shortDigest(state.stable.release)}${reminder}` },
      ],
    }
  })
}
