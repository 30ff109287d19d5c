import { answerInstead, wasTurnedAway } from './fallback-call.ts'
import type { Call, Outcome } from './function/call.ts'
import { LimitedCall, timeOf } from './function/limited-call.ts'
import { whenJudged } from './function/when-judged.ts'
import type { LazyRevision } from './sync/lazy-revision.ts'
import type { GuardedStable } from './sync/stable-guards.ts'

/**
 * Answers a call of a function within its rollback window by stable, and judges that by it. When
 * calling twice is harmless and nothing of the answer has left, a stable that fails is answered for
 * by the release before it, within the same request and its time; the failure counts only if that one
 * answers, as an outage that both meet is nobody's fault. Otherwise it counts alone.
 */
export async function invokeGuarded(
  revision: LazyRevision,
  guard: GuardedStable,
  call: Call,
): Promise<Outcome> {
  const successor = guard.successorOf(revision)
  if (successor === null) return revision.invoke(call)
  const { settings } = revision.release
  const timeoutMs = timeOf(call, settings)
  const isRepeatable = settings.idempotent && successor.release.settings.idempotent
  const capMs = isRepeatable ? guard.capMs(timeoutMs) : null

  const startedAt = performance.now()
  const outcome = await revision.invoke(capMs === null ? call : new LimitedCall(call, capMs))
  const leftMs = timeoutMs - (performance.now() - startedAt)
  if (wasTurnedAway(outcome)) return outcome
  if (!isRepeatable || !outcome.functionFault) {
    whenJudged(outcome, (isFault) => guard.record(isFault))
    return outcome
  }
  if (leftMs < 1) guard.tookAllTime()
  if (leftMs < 1 || !successor.isReady) return outcome
  const answer = await answerInstead({ revision, outcome }, successor, { call, leftMs })
  if (answer.functionFault) guard.bothFailed()
  else if (!wasTurnedAway(answer) && answer.errorCode !== 'CLIENT_CLOSED') guard.record(true)
  return answer
}
