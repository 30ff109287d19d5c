import { shortDigest } from '@needle-faas/runtime/manifest'
import { holdBelowStop } from './below-stop.ts'
import { type Order, planOrder } from './order.ts'
import type { Plan } from './plan.ts'
import { signedBefore } from './signed-before.ts'

/**
 * A stopped function serves again what it served. Ends no other hold than a stop: one that the stop
 * was put over, such as that of a rollback, holds again.
 */
export function planResume(order: Order): Plan {
  return planOrder(order, (state) => {
    const { hold, stable } = state
    if (hold?.mode === 'stopped') {
      const again = holdBelowStop(hold)
      return {
        next: { ...state, hold: again },
        changes: [
          {
            kind: 'hold-ended',
            text: `stop of ${hold.by} ended, serves ${shortDigest(stable.release)}`,
          },
          ...(again === null
            ? []
            : [{ kind: 'held' as const, text: `held again by ${again.by}: ${again.reason}` }]),
        ],
      }
    }
    const done = hold === null ? signedBefore(order, state, 'it is not stopped') : null
    if (done !== null) return done
    const why =
      hold === null
        ? 'it is not stopped'
        : `it is not stopped but held by ${hold.by}: ${hold.reason}. To end that: needle clear ${order.function} --hold --reason "…"`
    return { code: 'NOTHING_TO_CLEAR', message: `Nothing to resume on ${order.function}: ${why}` }
  })
}
