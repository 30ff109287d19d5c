import type { CallSample, Side } from '@needle-faas/runtime/rollout'

/** What calls of one side are like at some moment of a rollout. */
export interface Behaviour {
  /** Share of calls that fail, from 0 to 1. */
  readonly failing: number
  /** Of the answers that do not fail, log-normal with a spread of 0.5: p95 is 2.3 times this. */
  readonly medianMs: number
}

/** A rollout to be played many times. `progress` is the share of its requests already made, 0 to 1. */
export interface Scenario {
  readonly name: string
  /** What should become of it. */
  readonly expected: 'goes on' | 'cut off'
  readonly weightPercent: number
  readonly requests: number
  /** Calls of the canary by which 95 of 100 rollouts must have been cut off; absent: only told. */
  readonly withinCalls?: number
  behaviour(side: Side, progress: number): Behaviour
}

const healthy = (failing: number): Behaviour => ({ failing, medianMs: 40 })

const base = { weightPercent: 10, requests: 10_000 } as const

/** A scenario in which the canary is no worse. */
function alike(
  name: string,
  behaviour: Scenario['behaviour'],
  weightPercent: number = base.weightPercent,
): Scenario {
  return { ...base, name, weightPercent, expected: 'goes on', behaviour }
}

/** A canary that is no worse, whatever befalls both sides. */
export const harmless: readonly Scenario[] = [
  alike('equal, both fail 0.1 %', () => healthy(0.001)),
  alike('equal, both fail 1 %', () => healthy(0.01)),
  alike('equal, both fail 20 %', () => healthy(0.2)),
  alike('equal, both fail 1 %, weight 50', () => healthy(0.01), 50),
  alike('both fail 90 % for a fifth of the time', (_side, progress) =>
    healthy(isInMiddle(progress) ? 0.9 : 0.001),
  ),
  alike('both fail 70 % in 30 of every 60 requests', (_side, progress) =>
    healthy(Math.floor((progress * base.requests) / 30) % 2 === 0 ? 0.001 : 0.7),
  ),
  alike('both take four times as long for a fifth of the time', (_side, progress) => ({
    failing: 0.001,
    medianMs: isInMiddle(progress) ? 160 : 40,
  })),
]

function isInMiddle(progress: number): boolean {
  return progress > 0.4 && progress < 0.6
}

const worse = (
  name: string,
  canary: Behaviour,
  options: {
    readonly weightPercent?: number
    readonly from?: number
    readonly stable?: Behaviour
    readonly withinCalls?: number
  } = {},
): Scenario => ({
  ...base,
  ...(options.withinCalls !== undefined && { withinCalls: options.withinCalls }),
  weightPercent: options.weightPercent ?? base.weightPercent,
  name,
  expected: 'cut off',
  behaviour: (side, progress) =>
    side === 'canary' && progress >= (options.from ?? 0)
      ? canary
      : (options.stable ?? healthy(0.001)),
})

/** A canary that is worse. */
export const harmful: readonly Scenario[] = [
  worse('fails 50 %, stable 0.1 %', healthy(0.5), { withinCalls: 20 }),
  worse('fails 50 %, stable 0.1 %, weight 50', healthy(0.5), { weightPercent: 50 }),
  worse('fails 50 %, stable 20 %', healthy(0.5), { stable: healthy(0.2) }),
  worse('fails 5 %, stable 0.1 %', healthy(0.05), { withinCalls: 400 }),
  worse('fails 5 %, stable 0.1 %, weight 50', healthy(0.05), { weightPercent: 50 }),
  worse('takes twice as long', { failing: 0.001, medianMs: 80 }, { withinCalls: 500 }),
  worse('takes twice as long, weight 50', { failing: 0.001, medianMs: 80 }, { weightPercent: 50 }),
  worse('fails 50 % after half of the rollout', healthy(0.5), { from: 0.5 }),
]

/** When a call of a harmful scenario first could be bad. */
export function onsetOf(scenario: Scenario): number {
  for (let step = 0; step < 100; step++) {
    const canary = scenario.behaviour('canary', step / 100)
    const stable = scenario.behaviour('stable', step / 100)
    if (canary.failing !== stable.failing || canary.medianMs !== stable.medianMs) return step / 100
  }
  return 0
}

/** One call as the scenario has it at this moment. */
export function sampleCall(
  scenario: Scenario,
  side: Side,
  progress: number,
  random: () => number,
): CallSample {
  const { failing, medianMs } = scenario.behaviour(side, progress)
  const isFault = random() < failing
  // Box and Muller
  const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return { side, isFault, durationMs: medianMs * Math.exp(0.5 * normal) }
}
