import { AsyncLocalStorage } from 'node:async_hooks'
import type { Take } from './answer-turn.ts'
import type { Call } from './call.ts'
import { LimitedCall } from './limited-call.ts'

/**
 * Takes the outcome of a call that may be made twice. One that the machine left no time to run is made
 * anew instead, once, in a turn of its own, its async context and what is left of its time.
 */
export function madeAnew(
  call: Call,
  timeoutMs: number,
  { make, take }: { readonly make: (call: Call) => void; readonly take: Take },
): Take {
  const inContext = AsyncLocalStorage.snapshot()
  const begunAtMs = performance.now()
  return (outcome) => {
    const leftMs = Math.floor(timeoutMs - (performance.now() - begunAtMs))
    if (outcome.isStarved !== true || leftMs < 1) return take(outcome)
    setImmediate(() => inContext(make, new LimitedCall(call, leftMs)))
  }
}
