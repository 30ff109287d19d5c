import { describeApproval } from './new-approval.ts'
import { type Order, planOrder } from './order.ts'
import type { Plan } from './plan.ts'

/**
 * A person agrees to the next step of a rollout that wants to be asked. The step begins when its
 * time has come, which `needle rollout` finds out; agreeing early is fine.
 */
export function planApprove(order: Order): Plan {
  return planOrder(order, (state) => {
    const { rollout } = state
    if (rollout === null) {
      return {
        code: 'NO_ROLLOUT',
        message: `${order.function} has no canary in ${order.state.environment}, so there is no step to approve. needle status shows what serves`,
      }
    }
    const index = nextStepOf(rollout)
    const step = rollout.steps[index]
    if (step?.approval !== true || rollout.approved?.step === index) {
      const why =
        step?.approval === true
          ? `was approved by ${rollout.approved?.by} already`
          : 'wants no approval'
      return {
        code: 'NOTHING_TO_APPROVE',
        message: `The next step of ${order.function} ${why}. needle rollout says what it waits for`,
      }
    }
    const { actor, reason, now } = order
    const approved = { step: index, by: actor, reason, at: new Date(now).toISOString() }
    return {
      next: { ...state, rollout: { ...rollout, approved } },
      changes: [{ kind: 'step-approved', text: describeApproval(rollout, index) }],
    }
  })
}

/** Index of the step that begins next; the number of steps when what comes next is everyone. */
export function nextStepOf(rollout: {
  readonly step: number
  readonly weightPercent: number
}): number {
  return rollout.weightPercent === 0 ? rollout.step : rollout.step + 1
}
