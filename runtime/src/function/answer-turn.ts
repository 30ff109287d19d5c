import { callsUnderWay } from './active-calls.ts'
import type { Outcome } from './call.ts'
import { stopLoopTime } from './loop-time.ts'

export type Take = (outcome: Outcome) => void

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
  if (callsUnderWay() === 0) {
    stopLoopTime()
    return take(outcome)
  }
  outcomes.push(outcome)
  if (takers.push(take) === 1) process.nextTick(handOverAll)
}

/**
 * Hands over what a call is answered that nothing is entered for, such as one too many: in a turn of its
 * own. It is known before the calls that came with it are entered, whose end would take it along; a tick
 * comes too early for it.
 */
export function handOverRefusal(take: Take, outcome: Outcome): void {
  if (callsUnderWay() === 0) return take(outcome)
  setImmediate(() => take(outcome))
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
