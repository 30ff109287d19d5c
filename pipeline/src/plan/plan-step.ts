import { nextVersion } from './next-version.ts'
import { type Order, planOrder } from './order.ts'
import { nextStepOf } from './plan-approve.ts'
import type { Plan } from './plan.ts'

export interface StepOrder extends Order {
  /** Calls of the canary that were counted until now. */
  readonly callsBefore: number
}

/** The next step of a rollout begins. */
export function planStep(order: StepOrder): Plan {
  return planOrder(order, (state) => {
    const { rollout } = state
    const index = rollout === null ? 0 : nextStepOf(rollout)
    const step = rollout?.steps[index]
    if (rollout === null || step === undefined) {
      return {
        code: 'NO_ROLLOUT',
        message: `${order.function} has no further step in ${order.state.environment}. needle status shows what serves`,
      }
    }
    const { weightPercent } = step
    return {
      next: {
        ...state,
        rollout: {
          ...rollout,
          step: index,
          weightPercent,
          since: new Date(order.now).toISOString(),
          sinceVersion: nextVersion(order.state),
          callsBefore: order.callsBefore,
        },
      },
      changes: [
        {
          kind: 'canary-stepped',
          text: `step ${index + 1} of ${rollout.steps.length}, canary at ${weightPercent} %`,
        },
      ],
    }
  })
}
