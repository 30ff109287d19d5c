import { shortDigest } from '@needle-faas/runtime/manifest'
import { holdBelowStop, putBelowStop } from './below-stop.ts'
import { holdBy, type Order, planOrder, quarantineWith } from './order.ts'
import { pairName } from './pair.ts'
import type { Plan } from './plan.ts'
import { isDone, isOrderedAgain, takenBackHold } from './taken-back.ts'

/**
 * The canary stops and stable serves everyone. The canary is quarantined and the function held
 * until Git says something else, so that the next unrelated merge does not bring it back. What a
 * person holds stays held by them; what is stopped stays stopped.
 */
export function planAbort(order: Order): Plan {
  return planOrder(order, (state) => {
    if (state.rollout === null) {
      const taken = takenBackHold(state)
      if (taken !== null && isOrderedAgain(order, taken)) return isDone(order, state, taken)
      return {
        code: 'NO_ROLLOUT',
        message: `${order.function} has no canary to abort in ${order.state.environment}. To leave what it serves now: needle rollback ${order.function} --to previous --reason "…"`,
      }
    }
    const { canary } = state.rollout
    const hold = holdBelowStop(state.hold) ?? holdBy(order, { endsWithMerge: true })
    const serves = state.hold?.mode === 'stopped' ? 'serves all once it is resumed' : 'serves all'
    return {
      next: {
        ...state,
        rollout: null,
        hold: putBelowStop(state.hold, hold),
      },
      changes: [
        {
          kind: 'aborted',
          text: `canary ${shortDigest(canary.release)} aborted, stable ${shortDigest(state.stable.release)} ${serves}`,
        },
        { kind: 'quarantined', text: `${pairName(canary)} quarantined` },
      ],
      quarantine: quarantineWith(order, [canary]),
    }
  })
}
