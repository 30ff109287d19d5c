import { shortDigest } from '@needle-faas/runtime/manifest'
import { type Order, planOrder } from './order.ts'
import type { Plan } from './plan.ts'

/** A stopped function serves again what it served: the end of its hold, of no other than a stop. */
export function planResume(order: Order): Plan {
  return planOrder(order, (state) => {
    const { hold, stable } = state
    if (hold?.mode === 'stopped') {
      return {
        next: { ...state, hold: null },
        changes: [
          {
            kind: 'hold-ended',
            text: `stop of ${hold.by} ended, serves ${shortDigest(stable.release)}`,
          },
        ],
      }
    }
    const why =
      hold === null
        ? 'it is not stopped'
        : `it is not stopped but held by ${hold.by}: ${hold.reason}. To end that: needle clear ${order.function} --hold --reason "…"`
    return { code: 'NOTHING_TO_CLEAR', message: `Nothing to resume on ${order.function}: ${why}` }
  })
}
