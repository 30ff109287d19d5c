import { defaultAnalysisLimits, type Rollout, shortDigest } from '@needle-faas/runtime/manifest'
import { findFreeze } from '../config/freeze.ts'
import { formatAge } from '../format-age.ts'
import { nextStepOf } from '../plan/plan-approve.ts'
import { compareShares } from './compare-shares.ts'
import { callsOf, describeCalls } from './counts.ts'
import { type Decision, type Outcome, toDecision } from './decision.ts'
import { describeTrip } from './describe-trip.ts'
import { type Pool, poolReports } from './pool-reports.ts'
import type { RolloutQuestion } from './rollout-question.ts'

/**
 * Whether the canary stops, stays or goes on. What goes back is asked first, so that no freeze,
 * approval, alarm or silence is ever in its way; what goes forward needs all of them. Whatever is not
 * known holds.
 */
export function decideCanary(question: RolloutQuestion, rollout: Rollout): Decision {
  const { function: name, epoch, fleet, before } = question
  const watched = {
    function: name,
    release: rollout.canary.release,
    salt: rollout.salt,
    epoch,
    sinceVersion: rollout.sinceVersion ?? 0,
  }
  const pool = poolReports(watched, fleet, before)
  const outcome =
    findFailure(question, rollout, pool) ??
    findReasonToStay(question, rollout, pool) ??
    goForward(question, rollout, pool)
  return toDecision(name, pool, outcome, question.metric)
}

/** Why the canary stops at once; null when nothing speaks against it. */
function findFailure({ metric }: RolloutQuestion, rollout: Rollout, pool: Pool): Outcome | null {
  const abort = (text: string): Outcome => ({
    kind: 'abort',
    verdict: 'failed',
    text: `canary ${shortDigest(rollout.canary.release)} ${text}`,
  })
  const [harm] = pool.harms
  if (harm !== undefined) return abort(`harms on ${harm.instance}: ${harm.message}`)
  const [tripped] = pool.trips
  if (tripped !== undefined) {
    return abort(`was stopped by ${tripped.instance}: ${describeTrip(tripped.trip)}`)
  }
  const compared = compareShares(pool.evidence, rollout.analysis ?? defaultAnalysisLimits)
  if (compared.status === 'worse') return abort(`does worse in the fleet: ${compared.text}`)
  const { prometheus } = rollout
  if (prometheus && metric?.status === 'value' && metric.value > prometheus.max) {
    return abort(`has a metric of ${metric.value}, above ${prometheus.max}: ${prometheus.query}`)
  }
  return null
}

/** Why the step that runs has not passed; null when it has, and before the first has begun. */
function findReasonToStay(
  { function: name, state, metric, stepBegan, now }: RolloutQuestion,
  rollout: Rollout,
  pool: Pool,
): Outcome | null {
  if (state.hold !== null) {
    const text = `held by ${state.hold.by}: ${state.hold.reason}. To go on: needle clear ${name} --hold --reason "…"`
    return { kind: 'hold', verdict: 'inconclusive', text }
  }
  const { evidence } = pool
  const step = rollout.steps[rollout.step]
  if (rollout.weightPercent === 0 || step === undefined) return null
  const at = `canary ${shortDigest(rollout.canary.release)} at ${rollout.weightPercent} %`
  const stay = (kind: 'wait' | 'hold', verdict: Outcome['verdict'], why: string): Outcome => ({
    kind,
    verdict,
    text: `${at}: ${why}`,
  })

  const bakedMs = Math.max(0, now - (stepBegan ?? Date.parse(rollout.since)))
  if (bakedMs < step.bakeMs) {
    return stay('wait', 'running', `bakes for another ${formatAge(step.bakeMs - bakedMs)}`)
  }
  if (evidence.live === 0) {
    return stay(
      'hold',
      'error',
      'no instance reports, so nothing can be judged. Do BFFs run, and may they write to the store? needle status',
    )
  }
  if (pool.fellSilent > evidence.voted) {
    return stay(
      'hold',
      'error',
      `${pool.fellSilent} instances that ran it fell silent, ${evidence.voted} still report. Look at them, then: needle abort ${name} --reason "…", or needle promote`,
    )
  }
  if (evidence.voted * 2 <= evidence.live) {
    const names = pool.late.slice(0, 3).join(', ')
    return stay(
      'hold',
      'inconclusive',
      `runs on ${evidence.voted} of ${evidence.live} instances, which is no majority. Late: ${names}${pool.late.length > 3 ? ' …' : ''}`,
    )
  }
  const limits = rollout.analysis ?? defaultAnalysisLimits
  const calls = callsOfStep(rollout, callsOf(evidence.canary))
  if (calls < limits.minimumCalls) {
    return stay(
      'hold',
      'inconclusive',
      `${calls} of the ${limits.minimumCalls} calls that a judgement needs. It stays until they have come, or: needle promote ${name} --reason "…"`,
    )
  }
  const compared = compareShares(evidence, limits)
  if (compared.status !== 'within') {
    return stay(
      'hold',
      'inconclusive',
      `over its limits, by what may be chance (${compared.text}). More calls will tell`,
    )
  }
  if (rollout.prometheus && metric?.status !== 'value') {
    const verdict = metric?.status === 'empty' ? 'inconclusive' : 'error'
    return stay(
      'hold',
      verdict,
      metric?.message ??
        'its policy has a Prometheus query, and no Prometheus was given: --prometheus <url>',
    )
  }
  return null
}

/** The next step, or everyone: unless it is frozen, or wants a person to agree. */
function goForward(
  { function: name, now }: RolloutQuestion,
  rollout: Rollout,
  { evidence }: Pool,
): Outcome {
  const index = nextStepOf(rollout)
  const next = rollout.steps[index]
  const hasBegun = rollout.weightPercent > 0
  const canary = `canary ${shortDigest(rollout.canary.release)}`
  const passed = hasBegun
    ? `${canary} passed ${rollout.weightPercent} % with ${describeCalls(evidence.canary)}`
    : `${canary} is ready`
  const verdict = hasBegun ? 'successful' : 'pending'
  const freeze = findFreeze(rollout.freeze, now)
  if (freeze !== null) {
    const text = `${passed}; frozen until ${freeze.to} ${freeze.timeZone}: ${freeze.reason}`
    return { kind: 'hold', verdict, text }
  }
  if (next?.approval === true && rollout.approved?.step !== index) {
    const text = `${passed}; ${next.weightPercent} % wants approval: needle approve ${name} --reason "…"`
    return { kind: 'hold', verdict, text }
  }
  return next === undefined
    ? { kind: 'promote', verdict, text: `${passed}; everyone gets it` }
    : { kind: 'step', verdict, text: `${passed}; on to ${next.weightPercent} %` }
}

/**
 * Calls of the canary since its step began. When fewer are counted than had been then, instances
 * were replaced and count anew, as a counter of Prometheus does.
 */
function callsOfStep({ callsBefore = 0 }: Rollout, calls: number): number {
  return calls >= callsBefore ? calls - callsBefore : calls
}
