import type { ActiveCalls } from './active-calls.ts'

const all = new Set<ActiveCalls>()

/** Has calls looked after when an execution was ended; returns what takes that back. */
export function lookAfter(calls: ActiveCalls): () => void {
  all.add(calls)
  return () => void all.delete(calls)
}

/**
 * To be called after an execution was ended, which drops every microtask that waited, whoever's: calls
 * that waited for theirs get on.
 */
export function resumeCalls(): void {
  // A copy of them all: one may end, and its place go to a call of another revision whose microtask
  // is still to come.
  const running = [...all].flatMap((calls) => calls.allRunning())
  for (const call of running) call.onMicrotasksLost()
}
