import { addition, change, refusal, reversal } from './chapters/merging.ts'
import { emergency, rollback, trace } from './chapters/operators.ts'
import { badCanary, canary } from './chapters/rollout.ts'
import type { Chapter } from './greetings.ts'

/** In the order of the story. */
export const chapters: readonly Chapter[] = [
  addition,
  change,
  refusal,
  canary,
  badCanary,
  rollback,
  reversal,
  emergency,
  trace,
]
