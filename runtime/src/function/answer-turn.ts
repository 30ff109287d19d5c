import type { Outcome } from './call.ts'

type Take = (outcome: Outcome) => void

let takers: Take[] = []
let outcomes: Outcome[] = []

/**
 * Hands an outcome over when the microtasks that wait now are done, those of functions above all. To
 * end a runaway function drops every microtask that waits: an answer on its way to the client, from
 * promise to promise, in the very turn in which another function loops, would be gone for good, and its
 * deadline with it. Ticks stay.
 *
 * A turn of the event loop of its own would do as well, but comes after all requests that have arrived
 * meanwhile.
 */
export function handOver(take: Take, outcome: Outcome): void {
  outcomes.push(outcome)
  if (takers.push(take) === 1) process.nextTick(handOverAll)
}

/** Settles promises only: whoever waits for them is called when this has returned. */
function handOverAll(): void {
  const [taking, taken] = [takers, outcomes]
  takers = []
  outcomes = []
  for (const [at, outcome] of taken.entries()) taking[at]?.(outcome)
}
