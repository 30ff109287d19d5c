import { clockToleranceMs, shortDigest } from '@needle-faas/runtime/manifest'
import { formatAge } from '../format-age.ts'
import { type Decision, toDecision } from './decision.ts'
import { poolReports } from './pool-reports.ts'
import type { RolloutQuestion } from './rollout-question.ts'

/**
 * A stable that harms within its rollback window goes back; later that is a person's to decide. Null:
 * its window is over, and it does no harm.
 */
export function decideStable(question: RolloutQuestion): Decision | null {
  const { function: name, state, epoch, now } = question
  const { release } = state.stable
  const watched = {
    function: name,
    release,
    salt: null,
    epoch,
    sinceVersion: state.rollbackSinceVersion ?? 0,
  }
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
