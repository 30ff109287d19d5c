import type { Call, Outcome } from './function/call.ts'
import { LimitedCall } from './function/limited-call.ts'
import type { Side } from './rollout/choose-side.ts'
import type { Rollouts } from './sync/rollouts.ts'
import type { Slot } from './sync/slot.ts'

/** A slot whose calls are divided between two revisions. */
export interface DividedSlot extends Slot {
  readonly stable: NonNullable<Slot['stable']>
  readonly canary: NonNullable<Slot['canary']>
}

/** Names the canary that failed in an answer that stable gave in its stead. */
export const fallbackHeader = 'x-needle-fallback'

/**
 * Answers a call of a function that has a canary by the revision of this side, and tells the breaker
 * how it went. A canary that fails is answered for by stable, within the same request and its time,
 * when calling twice is harmless and nothing of the answer has left: the failure still counts, unless
 * stable fails at the same request.
 */
export async function invokeDivided(
  slot: DividedSlot,
  side: Side,
  call: Call,
  rollouts: Rollouts,
): Promise<Outcome> {
  const { stable, canary } = slot
  const { revision } = side === 'canary' ? canary : stable
  const { timeoutMs } = stable.revision.release.settings
  const isRepeatable = isIdempotent(stable) && isIdempotent(canary)
  const usualMs = rollouts.usualMs(slot.function, canary)
  const capMs = isRepeatable ? canaryTimeMs(timeoutMs, usualMs) : null
  // Its calls are slower than they will be: compiled anew, each on the record and under a guard.
  const isSettled = !revision.isOnProbation

  const startedAt = performance.now()
  const isCapped = side === 'canary' && capMs !== null
  const outcome = await revision.invoke(isCapped ? new LimitedCall(call, capMs) : call)
  const tookMs = performance.now() - startedAt
  if (wasTurnedAway(outcome)) return outcome

  // Stable is measured by the time the canary has, or it would look better for having more.
  const isFault = outcome.functionFault || (capMs !== null && tookMs > capMs)
  const record = (): void =>
    rollouts.record(slot.function, canary, {
      side,
      isFault,
      durationMs: isSettled ? tookMs : null,
    })
  const leftMs = timeoutMs - tookMs
  const fallsBack =
    side === 'canary' && outcome.functionFault && isRepeatable && leftMs >= (usualMs ?? 1)
  if (!fallsBack || !stable.revision.isReady) {
    record()
    return outcome
  }
  if (outcome.body instanceof ReadableStream) void outcome.body.cancel().catch(() => undefined)
  const answer = await stable.revision.invoke(
    new LimitedCall(call, Math.max(1, Math.floor(leftMs))),
  )
  if (!answer.functionFault) record()
  return { ...answer, headers: { ...answer.headers, [fallbackHeader]: revision.id } }
}

/** Deadlines are met within two ticks of the wheel, and stable needs some time, however fast it is. */
const leastReserveMs = 50

/**
 * How long the canary may take of a call that stable may have to answer after it: all but what two
 * calls of stable usually take, at least a quarter of the time and 50 ms; half while that is unknown.
 * Null: the function uses its time so fully that both would not fit, and stable answers only for a
 * canary that fails early.
 */
export function canaryTimeMs(timeoutMs: number, usualMs: number | null): number | null {
  if (usualMs === null) return Math.ceil(timeoutMs / 2)
  const capMs = Math.floor(timeoutMs - Math.max(2 * usualMs, timeoutMs / 4, leastReserveMs))
  return capMs >= 2 * usualMs && capMs > 0 ? capMs : null
}

function isIdempotent({ revision }: DividedSlot['stable']): boolean {
  return revision.release.settings.idempotent
}

/** It never entered the function: says nothing of it. */
function wasTurnedAway({ errorCode }: Outcome): boolean {
  return (
    errorCode === 'FUNCTION_BUSY' ||
    errorCode === 'FUNCTION_STOPPED' ||
    errorCode === 'FUNCTION_QUARANTINED'
  )
}
