import type { Call, Outcome } from './function/call.ts'
import { LimitedCall } from './function/limited-call.ts'
import { nextTurn } from './function/next-turn.ts'
import type { LazyRevision } from './sync/lazy-revision.ts'

/** Names the revision that failed in an answer that another gave in its stead. */
export const fallbackHeader = 'x-needle-fallback'

/** Has `successor` answer a call that `revision` failed at, in the time that is left of it. */
export async function answerInstead(
  { revision, outcome }: { readonly revision: LazyRevision; readonly outcome: Outcome },
  successor: LazyRevision,
  { call, leftMs }: { readonly call: Call; readonly leftMs: number },
): Promise<Outcome> {
  if (outcome.body instanceof ReadableStream) void outcome.body.cancel().catch(() => undefined)
  // The answers handed over in this turn must have left when a function is entered.
  await nextTurn()
  const answer = await successor.invoke(new LimitedCall(call, Math.max(1, Math.floor(leftMs))))
  return { ...answer, headers: { ...answer.headers, [fallbackHeader]: revision.id } }
}

/** It never entered the function: says nothing of it. */
export function wasTurnedAway({ errorCode }: Outcome): boolean {
  return (
    errorCode === 'FUNCTION_BUSY' ||
    errorCode === 'FUNCTION_STOPPED' ||
    errorCode === 'FUNCTION_QUARANTINED'
  )
}
