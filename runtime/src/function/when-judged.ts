import type { Outcome } from './call.ts'

/** Tells whether the function failed, as soon as that is known: of a streaming answer at its end. */
export function whenJudged(outcome: Outcome, judge: (isFault: boolean) => void): void {
  const { functionFault, ended } = outcome
  if (functionFault || ended === undefined) judge(functionFault)
  else void ended.then((fault) => judge(fault !== null))
}
