import { expect, it } from 'vitest'
import { defaultAnalysisLimits } from '../manifest/analysis-limits.ts'
import { digestOf } from '../manifest/digest.ts'
import type { CanaryTarget } from './plan-activation.ts'
import { createRollouts } from './rollouts.ts'

const canary = (salt: string): CanaryTarget => ({
  ref: {
    release: digestOf('release'),
    sizeBytes: 1,
    artifact: digestOf('artifact'),
    settings: digestOf('settings'),
  },
  weightPercent: 10,
  salt,
  analysis: defaultAnalysisLimits,
})

it('answers that end after their rollout count for that one, and stop no other', () => {
  const trips: string[] = []
  const rollouts = createRollouts({ now: () => 0, onTrip: (_name, { salt }) => trips.push(salt) })
  const first = rollouts.of('shop/card', canary('first'))
  const next = rollouts.of('shop/card', canary('next'))
  for (let call = 0; call < 200; call++) {
    first.record({ side: 'stable', isFault: false, durationMs: 1 })
    first.record({ side: 'canary', isFault: true, durationMs: 1 })
  }
  expect(trips).toEqual([])
  expect(rollouts.of('shop/card', canary('next'))).toBe(next)

  for (let call = 0; call < 200; call++) {
    next.record({ side: 'stable', isFault: false, durationMs: 1 })
    next.record({ side: 'canary', isFault: true, durationMs: 1 })
  }
  expect(trips).toEqual(['next'])
})

it('counts the calls of a step from where it began here, and not again for a call that it overtook', () => {
  const rollouts = createRollouts({ now: () => 0, onTrip: () => {} })
  const call = (weightPercent: number): void =>
    rollouts.of('shop/card', { ...canary('salt'), weightPercent }).record({
      side: 'canary',
      isFault: false,
      durationMs: 1,
    })
  const steps: unknown[] = []
  for (const weightPercent of [10, 10, 50, 10, 50, 100]) {
    call(weightPercent)
    steps.push(rollouts.reportOf('shop/card', { canary: canary('').ref, salt: 'salt' })?.step)
  }
  const first = { weightPercent: 10, callsBefore: 0 }
  const second = { weightPercent: 50, callsBefore: 2 }
  const last = { weightPercent: 100, callsBefore: 5 }
  expect(steps).toEqual([first, first, second, second, second, last])
})
