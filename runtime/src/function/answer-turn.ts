import { callsUnderWay } from './active-calls.ts'
import type { Outcome } from './call.ts'

type Take = (outcome: Outcome) => void

let takers: Take[] = []
let outcomes: Outcome[] = []

/**
 * Hands an outcome over when the microtasks that wait now are done, those of functions above all. To
 * end a runaway function drops every microtask that waits: an answer on its way to the client, from
 * promise to promise, in the very turn in which another function loops, would be gone for good, and its
 * deadline with it. Ticks stay. Where no other call is under way nobody can loop, and none is spent.
 *
 * A turn of the event loop of its own would do as well, but comes after all requests that have arrived
 * meanwhile.
 */
export function handOver(take: Take, outcome: Outcome): void {
  if (callsUnderWay() === 0) return take(outcome)
  outcomes.push(outcome)
  if (takers.push(take) === 1) process.nextTick(handOverAll)
}

/** Settles promises only: whoever waits for them is called when this has returned. */
function handOverAll(): void {
  const taking = takers
  const taken = outcomes
  takers = []
  outcomes = []
  taking.forEach((take, at) => {
    const outcome = taken[at]
    if (outcome !== undefined) take(outcome)
  })
}
