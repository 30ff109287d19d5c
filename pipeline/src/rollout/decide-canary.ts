import { defaultAnalysisLimits, type Rollout, shortDigest } from '@needle-faas/runtime/manifest'
import { findFreeze } from '../config/freeze.ts'
import { formatAge } from '../format-age.ts'
import { endsHold } from '../plan/ends-hold.ts'
import { nextStepOf } from '../plan/plan-approve.ts'
import { compareShares } from './compare-shares.ts'
import { describeCalls } from './counts.ts'
import { type Decision, type Outcome, toDecision } from './decision.ts'
import { describeTrip } from './describe-trip.ts'
import { describeDoubt, describeSoleWord } from './describe-doubt.ts'
import { findDoubt } from './find-doubt.ts'
import { findSoleWord } from './find-sole-word.ts'
import { type Pool, poolReports } from './pool-reports.ts'
import type { RolloutQuestion } from './rollout-question.ts'
import { testimonyOf } from './testimony.ts'

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
function findReasonToStay(question: RolloutQuestion, rollout: Rollout, pool: Pool): Outcome | null {
  const { function: name, state, metric, stepBegan, now } = question
  if (state.hold !== null) {
    const { mode, by, reason } = state.hold
    const what = mode === 'stopped' ? 'stopped' : 'held'
    const text = `${what} by ${by}: ${reason}. To go on: ${endsHold(name, state.hold)}`
    return { kind: 'hold', verdict: 'inconclusive', text }
  }
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
  const all = testimonyOf(pool, rollout)
  const doubt = findDoubt(all, rollout)
  if (doubt !== null) {
    const isBroken = doubt.cause === 'unheard' || doubt.cause === 'silence'
    const verdict = isBroken ? 'error' : 'inconclusive'
    return stay('hold', verdict, describeDoubt(doubt, question, pool))
  }
  const sole = findSoleWord(pool, all, rollout)
  if (sole !== null) return stay('hold', 'inconclusive', describeSoleWord(sole, question, pool))
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
