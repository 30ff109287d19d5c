import type { AnalysisLimits } from '@needle-faas/runtime/manifest'
import { createBreaker } from '@needle-faas/runtime/rollout'
import { createSeededRandom } from '../bench/seeded-random.ts'
import { onsetOf, sampleCall, type Scenario } from './scenarios.ts'

/** What became of all rollouts of a scenario. */
export interface Played {
  readonly scenario: Scenario
  readonly rollouts: number
  /** Of each that was cut off, calls of the canary from the moment it could be bad; in no order. */
  readonly canaryCalls: readonly number[]
  /** Cut off before the canary could be bad. */
  readonly early: number
}

/** Plays a scenario many times, each rollout from a seed of its own. */
export function playRollouts(
  scenario: Scenario,
  options: { readonly rollouts: number; readonly seed: number; readonly limits: AnalysisLimits },
): Played {
  const onset = onsetOf(scenario)
  const canaryCalls: number[] = []
  let early = 0
  for (let index = 0; index < options.rollouts; index++) {
    const end = playOne(scenario, createSeededRandom(options.seed + index), options.limits)
    if (end === null) continue
    if (end.progress < onset) early += 1
    else canaryCalls.push(end.canaryCalls)
  }
  return { scenario, rollouts: options.rollouts, canaryCalls, early }
}

function playOne(
  scenario: Scenario,
  random: () => number,
  limits: AnalysisLimits,
): { readonly progress: number; readonly canaryCalls: number } | null {
  const onset = onsetOf(scenario)
  const breaker = createBreaker(limits)
  let canaryCalls = 0
  for (let request = 0; request < scenario.requests; request++) {
    const progress = request / scenario.requests
    const side = random() * 100 < scenario.weightPercent ? 'canary' : 'stable'
    if (side === 'canary' && progress >= onset) canaryCalls += 1
    const trip = breaker.add(sampleCall(scenario, side, progress, random))
    if (trip !== null) return { progress, canaryCalls }
  }
  return null
}
