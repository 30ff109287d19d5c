import type { Rollout } from '@needle-faas/runtime/manifest'

/** A person's consent to a step, as everyone is told of it. */
export interface NewApproval {
  readonly by: string
  /** `step 2 of 3, 50 %, approved` */
  readonly text: string
}

/** What a person agreed to from one state of a rollout to the next; null: to nothing. */
export function newApproval(before: Rollout | null, after: Rollout | null): NewApproval | null {
  const approved = after?.approved
  // A canary that is signed again keeps the approval it had.
  if (!after || !approved || approved.at === before?.approved?.at) return null
  return { by: approved.by, text: describeApproval(after, approved.step) }
}

/** @param index - Of the step. */
export function describeApproval({ steps }: Pick<Rollout, 'steps'>, index: number): string {
  return `step ${index + 1} of ${steps.length}, ${steps[index]?.weightPercent} %, approved`
}
