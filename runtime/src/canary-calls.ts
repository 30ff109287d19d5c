import { answerInstead, wasTurnedAway } from './fallback-call.ts'
import type { Call, Outcome } from './function/call.ts'
import { whenJudged } from './function/when-judged.ts'
import { LimitedCall, timeOf } from './function/limited-call.ts'
import { canaryTimeMs } from './rollout/canary-time.ts'
import type { Side } from './rollout/choose-side.ts'
import type { Rollouts } from './sync/rollouts.ts'
import type { DividedSlot } from './sync/slot.ts'

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
  const timeoutMs = timeOf(call, stable.revision.release.settings)
  const isRepeatable = isIdempotent(stable) && isIdempotent(canary)
  const rollout = rollouts.of(slot.function, canary)
  const { usualMs } = rollout
  const capMs = isRepeatable ? canaryTimeMs(timeoutMs, usualMs) : null
  // Its calls are slower than they will be: compiled anew, each on the record and under a guard.
  const isSettled = !revision.isOnProbation

  const startedAt = performance.now()
  const isCapped = side === 'canary' && capMs !== null
  const outcome = await revision.invoke(isCapped ? new LimitedCall(call, capMs) : call)
  const tookMs = performance.now() - startedAt
  if (wasTurnedAway(outcome)) return outcome

  // Stable is measured by the time the canary has, or it would look better for having more.
  const isLate = capMs !== null && tookMs > capMs
  const record = (): void =>
    whenJudged(outcome, (isFault) =>
      rollout.record({
        side,
        isFault: isFault || isLate,
        durationMs: isSettled ? tookMs : null,
      }),
    )
  const leftMs = timeoutMs - tookMs
  const fallsBack =
    side === 'canary' && outcome.functionFault && isRepeatable && leftMs >= (usualMs ?? 1)
  if (!fallsBack || !stable.revision.isReady) {
    record()
    return outcome
  }
  const answer = await answerInstead({ revision, outcome }, stable.revision, { call, leftMs })
  if (!answer.functionFault && !wasTurnedAway(answer)) record()
  return answer
}

function isIdempotent({ revision }: DividedSlot['stable']): boolean {
  return revision.release.settings.idempotent
}
