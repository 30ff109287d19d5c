import { defaultAnalysisLimits, type Rollout } from '@needle-faas/runtime/manifest'
import { countStepCalls } from './calls-of-step.ts'
import { compareShares } from './compare-shares.ts'
import type { Testimony } from './testimony.ts'

/** Why a canary may not go on by what a fleet says. */
export interface Doubt {
  readonly cause: 'unheard' | 'silence' | 'minority' | 'calls' | 'shares'
  /** For people, without what to do about it. */
  readonly text: string
}

/** What must hold of a fleet before its canary goes on; null when all of it does. */
export function findDoubt(
  { live, voted, fellSilent, stable, canary, stepCalls }: Testimony,
  rollout: Rollout,
): Doubt | null {
  // A canary that silences those who run it must not be judged by those it spares.
  if (fellSilent > 0 && fellSilent >= voted) {
    const instances = `${fellSilent} ${fellSilent === 1 ? 'instance' : 'instances'} that ran it`
    const report = voted === 1 ? 'reports' : 'report'
    const text = `${instances} fell silent without stopping in order, ${voted} still ${report}`
    return { cause: 'silence', text }
  }
  if (live === 0) return { cause: 'unheard', text: 'no instance reports' }
  if (voted * 2 <= live) {
    const text = `it runs on ${voted} of ${live} instances, which is no majority`
    return { cause: 'minority', text }
  }
  const limits = rollout.analysis ?? defaultAnalysisLimits
  const calls = countStepCalls(stepCalls, rollout)
  if (calls < limits.minimumCalls) {
    const text = `${calls} of the ${limits.minimumCalls} calls that a judgement needs`
    return { cause: 'calls', text }
  }
  const compared = compareShares({ stable, canary }, limits)
  if (compared.status === 'within') return null
  return { cause: 'shares', text: `over its limits, by what may be chance (${compared.text})` }
}
