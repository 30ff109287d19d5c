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
