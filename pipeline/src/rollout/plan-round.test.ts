import { decisionsPerManifest } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import { environment, now, ref, rollout, serving } from '../plan/testing/plan-samples.ts'
import type { Decision } from './decision.ts'
import { side } from './testing/fleet-samples.ts'
import { planRound } from './plan-round.ts'

const decision = (name: string, kind: Decision['kind'], text = 'why'): Decision => ({
  function: name,
  kind,
  verdict: kind === 'abort' ? 'failed' : 'successful',
  text,
  evidence: {
    stable: side(900),
    canary: side(120),
    live: 3,
    voted: 3,
    late: 0,
    dead: 0,
    refused: 0,
  },
  refused: [],
})

function round(names: readonly string[], decisions: readonly Decision[]) {
  const onCanary = serving('a', { rollout: rollout('b') })
  const state = environment(Object.fromEntries(names.map((name) => [name, onCanary])))
  return planRound({ state, decisions, actor: 'needle rollout', now })
}

test('every move of a round is in one draft, each with its own reason and evidence', () => {
  const { plan, deferred } = round(
    ['shop/a', 'shop/b', 'shop/c', 'shop/d'],
    [
      decision('shop/a', 'step', 'a passed'),
      decision('shop/b', 'abort', 'b failed'),
      decision('shop/c', 'promote', 'c passed'),
      decision('shop/d', 'wait'),
    ],
  )
  expect(deferred).toBe(0)
  const { functions } = plan.draft?.groups['shop'] ?? { functions: {} }
  expect(functions).toMatchObject({
    a: { rollout: { step: 1, weightPercent: 100, callsBefore: 120, sinceVersion: 8 } },
    b: { rollout: null, hold: { by: 'needle rollout', reason: 'b failed' } },
    c: { stable: ref('b'), rollout: null },
    d: { rollout: { step: 0 } },
  })
  expect(plan.draft?.quarantine).toMatchObject([{ function: 'shop/b', reason: 'b failed' }])
  expect(plan.draft?.reason).toBe('shop/b: b failed; shop/a: a passed; shop/c: c passed')
  expect(plan.draft?.decisions?.map(({ kind }) => kind)).toEqual(['abort', 'step', 'promote'])
})

test('nothing that moves is no draft', () => {
  const { plan } = round(['shop/a'], [decision('shop/a', 'wait'), decision('shop/a', 'hold')])
  expect(plan).toEqual({ draft: null, changes: [], kept: [], refusals: [] })
})

test('more moves than a manifest takes wait for the next, those that go back never', () => {
  const names = Array.from({ length: decisionsPerManifest + 5 }, (_, index) => `shop/f${index}`)
  const decisions = names.map((name, index) =>
    decision(name, index === names.length - 1 ? 'abort' : 'step'),
  )
  const { plan, deferred } = round(names, decisions)
  expect(deferred).toBe(5)
  expect(plan.draft?.decisions).toHaveLength(decisionsPerManifest)
  expect(plan.draft?.decisions?.[0]).toMatchObject({ kind: 'abort' })
})

test('a move that the state no longer allows is refused alone', () => {
  const { plan } = round(['shop/a'], [decision('shop/gone', 'step'), decision('shop/a', 'step')])
  expect(plan.refusals).toMatchObject([{ code: 'FUNCTION_UNKNOWN', function: 'shop/gone' }])
  expect(plan.draft?.decisions?.map((each) => each.function)).toEqual(['shop/a'])
})
