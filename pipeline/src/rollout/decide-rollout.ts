import {
  clockToleranceMs,
  defaultAnalysisLimits,
  type FunctionState,
  type Rollout,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { formatAge } from '../format-age.ts'
import { nextStepOf } from '../plan/plan-approve.ts'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { compareShares } from './compare-shares.ts'
import type { Decision } from './decision.ts'
import { findFreeze } from '../config/freeze.ts'
import type { MetricReading } from './metric-reading.ts'
import { type Pool, poolReports } from './pool-reports.ts'
import type { Fleet } from './screen-reports.ts'

export interface RolloutQuestion {
  /** Full name. */
  readonly function: string
  readonly state: FunctionState
  /** Of the newest manifest. */
  readonly epoch: number
  readonly fleet: Fleet
  /** What was read of each instance the last time. */
  readonly before: ReadonlyMap<string, ReportReading>
  /** Answer to the policy's own query; null when there is none. */
  readonly metric: MetricReading | null
  /** When the step began, by the clock of the store; null when that is not known. */
  readonly stepBegan: number | null
  /** By the clock of the store. */
  readonly now: number
}

type Outcome = Pick<Decision, 'kind' | 'verdict' | 'text'>

/**
 * What becomes of a function, from what its instances measured. Null: nothing is in motion and
 * nothing is wrong. What goes back is asked first, so that no freeze, approval, alarm or silence is
 * ever in its way; what goes forward needs all of them. Whatever is not known holds.
 */
export function decideRollout(question: RolloutQuestion): Decision | null {
  const { rollout } = question.state
  return rollout === null ? decideStable(question) : decideCanary(question, rollout)
}

/** A stable that harms within its rollback window goes back; later that is a person's to decide. */
function decideStable(question: RolloutQuestion): Decision | null {
  const { function: name, state, epoch, now } = question
  const { release } = state.stable
  const watched = { function: name, release, salt: null, epoch, sinceVersion: 0 }
  const pool = poolReports(watched, question.fleet, question.before)
  const [harm] = pool.harms.toSorted((a, b) => Number(b.isEvaded) - Number(a.isEvaded))
  const until = state.rollbackUntil === undefined ? null : Date.parse(state.rollbackUntil)
  // An instance that went back by itself did so within the window, by its own clock.
  const graceMs = harm?.isEvaded === true ? clockToleranceMs : 0
  const isOpen = until !== null && now < until + graceMs
  const at = `stable ${shortDigest(release)}`
  if (harm === undefined) {
    if (!isOpen) return null
    const text = `${at} serves everyone; goes back by itself should it turn bad in the next ${formatAge(until - now)}`
    return toDecision(name, pool, { kind: 'wait', verdict: 'running', text })
  }
  const what = `${at} harms on ${harm.instance}: ${harm.message}`
  const [target] = state.previous
  if (isOpen && state.hold === null && target !== undefined) {
    const text = `${what}; back to ${shortDigest(target.release)}`
    return toDecision(name, pool, { kind: 'rollback', verdict: 'failed', text })
  }
  const why =
    state.hold !== null
      ? `${state.hold.by} holds it`
      : target === undefined
        ? 'nothing earlier is kept'
        : 'its rollback window is over'
  const text = `${what}. Not rolled back: ${why}. Do it with: needle rollback ${name} --reason "…"`
  return toDecision(name, pool, { kind: 'hold', verdict: 'failed', text })
}

function decideCanary(question: RolloutQuestion, rollout: Rollout): Decision {
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
    const { cause, stable, canary } = tripped.trip
    const bad = cause === 'errors' ? 'faults' : 'slow'
    const what = cause === 'errors' ? 'failed' : 'were slow'
    return abort(
      `was stopped by ${tripped.instance}: ${canary[bad]} of ${canary.calls} calls ${what}, of stable ${stable[bad]} of ${stable.calls}`,
    )
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
  const calls = callsOfStep(rollout, evidence.canary.calls)
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
    ? `${canary} passed ${rollout.weightPercent} % with ${evidence.canary.calls} calls`
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

function toDecision(
  name: string,
  { evidence, refused }: Pool,
  outcome: Outcome,
  metric: MetricReading | null = null,
): Decision {
  const measured = metric?.status === 'value' ? { ...evidence, metric: metric.value } : evidence
  return { function: name, ...outcome, evidence: measured, refused }
}
