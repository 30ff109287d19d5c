import { shortDigest } from '@needle-faas/runtime/manifest'
import { endsHold } from './ends-hold.ts'
import { nextVersion } from './next-version.ts'
import { type Order, planOrder } from './order.ts'
import { previousAfter } from './pair.ts'
import type { Plan } from './plan.ts'
import { rollbackWindow, withoutRollbackWindow } from './rollback-window.ts'

/**
 * The running canary becomes stable; the outgoing stable stays warm as the newest of `previous`, to
 * which it goes back by itself should it turn bad within its rollback window.
 */
export function planPromote(order: Order): Plan {
  return planOrder(order, (state) => {
    if (state.rollout === null) {
      return {
        code: 'NO_ROLLOUT',
        message: `${order.function} has no canary to promote in ${order.state.environment}; it serves ${shortDigest(state.stable.release)}`,
      }
    }
    if (state.hold !== null) {
      return {
        code: 'FUNCTION_HELD',
        message: `${order.function} is ${state.hold.mode === 'stopped' ? 'stopped' : 'held'} by ${state.hold.by}: ${state.hold.reason}. End that first: ${endsHold(order.function, state.hold)}`,
      }
    }
    const { canary, rollbackWindowMs } = state.rollout
    const quarantine = { function: order.function, entries: order.state.quarantine }
    const previous = previousAfter(state, canary, quarantine)
    return {
      next: {
        ...withoutRollbackWindow(state),
        stable: canary,
        previous,
        rollout: null,
        ...rollbackWindow({
          previous,
          now: order.now,
          version: nextVersion(order.state),
          windowMs: rollbackWindowMs,
        }),
      },
      changes: [
        { kind: 'promoted', text: `canary ${shortDigest(canary.release)} promoted to stable` },
      ],
    }
  })
}
