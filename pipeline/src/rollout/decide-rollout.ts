import { decideCanary } from './decide-canary.ts'
import { decideStable } from './decide-stable.ts'
import type { Decision } from './decision.ts'
import type { RolloutQuestion } from './rollout-question.ts'

/**
 * What becomes of a function, from what its instances measured. Null: nothing is in motion and
 * nothing is wrong.
 */
export function decideRollout(question: RolloutQuestion): Decision | null {
  const { rollout } = question.state
  return rollout === null ? decideStable(question) : decideCanary(question, rollout)
}
