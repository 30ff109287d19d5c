import { expect, test } from 'vitest'
import {
  environment,
  hold,
  publishInput,
  quarantined,
  ref,
  rollout,
  serving,
  steps,
} from './testing/plan-samples.ts'
import { type RolloutPlan, rolloutPlanOf } from '../config/rollout-policy.ts'
import { planPublish } from './plan-publish.ts'
import type { Plan } from './plan.ts'

const card = (plan: Plan) => plan.draft?.groups['shop']?.functions['card']
/** Ten minutes after `now`. */
const window = { rollbackUntil: '2026-11-22T10:10:00.000Z', rollbackSinceVersion: 8 }

const kinds = (plan: Plan) => plan.changes.map((change) => change.kind)

test('a first publish adds every function straight to stable', () => {
  const empty = { ...environment({}), newest: null }
  const plan = planPublish(
    publishInput(empty, { 'shop/card': ref('a') }, { lineage: 'first', canarySteps: steps }),
  )
  expect(kinds(plan)).toEqual(['added'])
  expect(card(plan)).toEqual(serving('a'))
})

test('equal artifact and settings keep the release that serves, and with it its provenance', () => {
  const plan = planPublish(
    publishInput(environment({ 'shop/card': serving('a') }), {
      'shop/card': ref('a', 'built again at another commit'),
    }),
  )
  expect(plan).toMatchObject({ changes: [], kept: [], refusals: [] })
  expect(card(plan)).toEqual(serving('a'))
})

test('a commit that changes nothing is recorded, so that an older one cannot follow it', () => {
  const state = environment({ 'shop/card': serving('a') })
  const plan = planPublish(publishInput(state, { 'shop/card': ref('a') }))
  expect(plan.draft).toMatchObject({ commit: 'd'.repeat(40), groups: state.groups })
})

test('the commit that is live already plans nothing', () => {
  const state = environment({ 'shop/card': serving('a') })
  const live = { commit: 'c'.repeat(40), lineage: 'same' } as const
  const plan = planPublish(publishInput(state, { 'shop/card': ref('a') }, live))
  expect(plan).toEqual({ draft: null, changes: [], kept: [], refusals: [] })
})

test('a change goes to stable and leaves the old stable warm, two deep, each pair once', () => {
  const state = serving('c', { previous: [ref('b'), ref('c'), ref('a')] })
  const plan = planPublish(
    publishInput(environment({ 'shop/card': state }), { 'shop/card': ref('d') }),
  )
  expect(kinds(plan)).toEqual(['updated'])
  expect(card(plan)).toEqual(serving('d', { previous: [ref('c'), ref('b')], ...window }))
})

test('a change of settings alone is a change', () => {
  const other = { ...ref('a', 'x'), settings: ref('other').artifact }
  const plan = planPublish(
    publishInput(environment({ 'shop/card': serving('a') }), { 'shop/card': other }),
  )
  expect(card(plan)?.stable).toEqual(other)
})

test('functions that start together are met by the same callers, page and data alike (istio#19630)', () => {
  const before = { 'shop/card': serving('a'), 'shop/price': serving('b') }
  const wanted = { 'shop/card': ref('c'), 'shop/price': ref('d') }
  const { draft } = planPublish(publishInput(environment(before), wanted, { canarySteps: steps }))
  const functions = Object.values(draft?.groups['shop']?.functions ?? {})
  expect(functions.map(({ rollout }) => rollout?.salt)).toEqual(['fresh-salt', 'fresh-salt'])
})

test('with canary steps a change starts at the first weight beside stable', () => {
  const plan = planPublish(
    publishInput(
      environment({ 'shop/card': serving('a') }),
      { 'shop/card': ref('b') },
      { canarySteps: steps },
    ),
  )
  expect(kinds(plan)).toEqual(['canary-started'])
  expect(card(plan)).toEqual(
    serving('a', {
      rollout: {
        canary: ref('b'),
        steps,
        step: 0,
        weightPercent: 20,
        salt: 'fresh-salt',
        since: '2026-11-22T10:00:00.000Z',
        sinceVersion: 8,
      },
    }),
  )
})

const policy = rolloutPlanOf({ policies: { shop: { rollout: {} } } }, 'shop/card')
const policies = (more: Partial<RolloutPlan> = {}) =>
  new Map(policy === null ? [] : [['shop/card', { ...policy, ...more }]])
const onA = environment({ 'shop/card': serving('a') })
const frozen = [
  { days: ['sun'], from: '00:00', to: '24:00', timeZone: 'UTC', reason: 'a quiet day' },
]

test('a policy gives its function steps and limits, and others none', () => {
  const state = environment({ 'shop/card': serving('a'), 'shop/quote': serving('q') })
  const wanted = { 'shop/card': ref('b'), 'shop/quote': ref('r') }
  const plan = planPublish(publishInput(state, wanted, { policies: policies() }))
  expect(card(plan)?.rollout).toMatchObject({
    steps: [{ weightPercent: 10 }, { weightPercent: 50 }],
    weightPercent: 10,
    analysis: { minimumCalls: 100 },
    rollbackWindowMs: 600_000,
  })
  expect(plan.draft?.groups['shop']?.functions['quote']).toMatchObject({ stable: ref('r') })
})

test('steps of a command go before those of a policy, whose limits stay', () => {
  const more = { policies: policies(), canarySteps: steps }
  const plan = planPublish(publishInput(onA, { 'shop/card': ref('b') }, more))
  expect(card(plan)?.rollout).toMatchObject({ steps, analysis: { errorRise: 0.01 } })
})

// Another key in the middle of a rollout would move users from side to side.
test('a rollout keeps the sticky key it began with, whatever the policy says since', () => {
  const begun = planPublish(
    publishInput(
      onA,
      { 'shop/card': ref('b') },
      { policies: policies({ stickyKey: { caller: 'user.id' } }), canarySteps: steps },
    ),
  )
  const state = card(begun)
  if (state === undefined) throw new Error('no shop/card')
  expect(state.rollout).toMatchObject({ stickyKey: { caller: 'user.id' } })
  const again = planPublish(
    publishInput(
      environment({ 'shop/card': state }),
      { 'shop/card': ref('b') },
      { policies: policies({ stickyKey: { httpHeaderName: 'x-user-id' } }) },
    ),
  )
  expect(card(again)).toEqual(state)
})

test.each([
  ['is frozen', { freeze: frozen }, 'a quiet day'],
  ['wants approval', { steps: [{ weightPercent: 10, bakeMs: 0, approval: true }] }, 'approved'],
])('a canary whose first step %s begins with nobody', (_, more, text) => {
  const input = publishInput(onA, { 'shop/card': ref('b') }, { policies: policies(more) })
  const plan = planPublish(input)
  expect(card(plan)?.rollout).toMatchObject({ step: 0, weightPercent: 0 })
  expect(plan.changes[0]?.text).toContain(text)
})

test('no freeze and no approval is in the way of a revert (flagger#1800, argo-rollouts#2168, serverless-application-model#716)', () => {
  const state = environment({ 'shop/card': serving('b', { previous: [ref('a')], ...window }) })
  const more = {
    freeze: frozen,
    steps: [{ weightPercent: 10, bakeMs: 0, approval: true }],
    prometheus: { query: 'alarm', max: 0 },
  }
  const input = publishInput(state, { 'shop/card': ref('a') }, { policies: policies(more) })
  expect(card(planPublish(input))).toEqual(serving('a', { previous: [ref('b')] }))
})

test('an unrelated merge leaves a running canary where it is', () => {
  const state = environment({
    'shop/card': serving('a', { rollout: rollout('b') }),
    'shop/quote': serving('q'),
  })
  const plan = planPublish(
    publishInput(state, { 'shop/card': ref('b', 'rebuilt'), 'shop/quote': ref('r') }),
  )
  expect(plan.changes.map((change) => change.function)).toEqual(['shop/quote'])
  expect(card(plan)?.rollout).toEqual(rollout('b'))
})

test('the next change of a function replaces its running canary', () => {
  const state = environment({ 'shop/card': serving('a', { rollout: rollout('b') }) })
  const plan = planPublish(publishInput(state, { 'shop/card': ref('c') }, { canarySteps: steps }))
  expect(kinds(plan)).toEqual(['canary-replaced'])
  expect(card(plan)?.rollout).toMatchObject({ canary: ref('c'), salt: 'fresh-salt' })
  expect(card(plan)?.stable).toEqual(ref('a'))
})

test('Git back at stable ends the canary', () => {
  const state = environment({ 'shop/card': serving('a', { rollout: rollout('b') }) })
  const plan = planPublish(publishInput(state, { 'shop/card': ref('a') }, { canarySteps: steps }))
  expect(kinds(plan)).toEqual(['canary-ended'])
  expect(card(plan)).toEqual(serving('a'))
})

test('a revert to a proven release takes no step, whatever --canary says (flagger#1800, argo-rollouts#2168)', () => {
  const state = environment({ 'shop/card': serving('b', { previous: [ref('a')] }) })
  const plan = planPublish(
    publishInput(state, { 'shop/card': ref('a', 'rebuilt') }, { canarySteps: steps }),
  )
  expect(kinds(plan)).toEqual(['returned'])
  expect(card(plan)).toEqual(serving('a', { previous: [ref('b')] }))
})

test('a function gone from Git is removed, its empty group with it', () => {
  const plan = planPublish(publishInput(environment({ 'shop/card': serving('a') }), {}))
  expect(kinds(plan)).toEqual(['removed'])
  expect(plan.draft?.groups).toEqual({})
})

test('a held function is kept and named while the others go ahead', () => {
  const state = environment({
    'shop/card': serving('a', { hold: hold() }),
    'shop/quote': serving('q'),
  })
  const plan = planPublish(publishInput(state, { 'shop/card': ref('b'), 'shop/quote': ref('r') }))
  expect(plan.kept).toMatchObject([{ function: 'shop/card', by: 'Ann', reason: 'Black Friday' }])
  expect(plan.refusals).toEqual([])
  expect(card(plan)).toEqual(serving('a', { hold: hold() }))
  expect(plan.changes.map((change) => change.function)).toEqual(['shop/quote'])
})

test('a held function gone from Git stays', () => {
  const state = environment({ 'shop/card': serving('a', { hold: hold() }) })
  const plan = planPublish(publishInput(state, {}))
  expect(card(plan)).toEqual(serving('a', { hold: hold() }))
  expect(plan.kept).toHaveLength(1)
})

test('a hold by a person does not end because Git agrees with it', () => {
  const state = environment({ 'shop/card': serving('a', { hold: hold() }) })
  const plan = planPublish(publishInput(state, { 'shop/card': ref('a') }))
  expect(plan).toMatchObject({ changes: [], kept: [], refusals: [] })
  expect(card(plan)).toEqual(serving('a', { hold: hold() }))
})

test('a stopped function stays stopped when Git changes', () => {
  const state = environment({ 'shop/card': serving('a', { hold: hold({ mode: 'stopped' }) }) })
  const plan = planPublish(publishInput(state, { 'shop/card': ref('b') }))
  expect(plan.kept[0]?.text).toContain('stopped by Ann')
  expect(card(plan)).toEqual(serving('a', { hold: hold({ mode: 'stopped' }) }))
})

test.each([
  ['the revert', 'a', serving('a')],
  ['a fix', 'c', serving('c', { previous: [ref('a')], ...window })],
])('the hold of a rollback ends with %s', (_, letter, after) => {
  const rolledBack = serving('a', { hold: hold({ endsWithMerge: true }) })
  const state = environment({ 'shop/card': rolledBack }, [quarantined('b')])
  const plan = planPublish(publishInput(state, { 'shop/card': ref(letter) }))
  expect(kinds(plan)[0]).toBe('hold-ended')
  expect(card(plan)).toEqual(after)
})

test('the hold of a rollback stays, without failing, while Git still says the bad pair', () => {
  const rolledBack = serving('a', { hold: hold({ endsWithMerge: true }) })
  const state = environment({ 'shop/card': rolledBack, 'shop/quote': serving('q') }, [
    quarantined('b'),
  ])
  const plan = planPublish(publishInput(state, { 'shop/card': ref('b'), 'shop/quote': ref('r') }))
  expect(plan.refusals).toEqual([])
  expect(plan.kept.map((kept) => kept.function)).toEqual(['shop/card'])
  expect(card(plan)).toEqual(rolledBack)
})

test('a quarantined pair landing again is refused with the command that clears it; the rest goes ahead', () => {
  const state = environment({ 'shop/card': serving('a'), 'shop/quote': serving('q') }, [
    quarantined('b'),
  ])
  const plan = planPublish(publishInput(state, { 'shop/card': ref('b'), 'shop/quote': ref('r') }))
  expect(plan.refusals).toMatchObject([{ code: 'PAIR_QUARANTINED', function: 'shop/card' }])
  expect(plan.refusals[0]?.message).toMatch(
    /needle clear shop\/card --quarantine [0-9a-f]{12}\+[0-9a-f]{12}/,
  )
  expect(card(plan)).toEqual(serving('a'))
  expect(plan.changes.map((change) => change.function)).toEqual(['shop/quote'])
})

test('a quarantine of one function does not concern another with the same artifact', () => {
  const state = environment({ 'shop/card': serving('a') }, [quarantined('b', 'shop/quote')])
  const plan = planPublish(publishInput(state, { 'shop/card': ref('b') }))
  expect(kinds(plan)).toEqual(['updated'])
})

test('what is quarantined does not stay warm', () => {
  const state = environment({ 'shop/card': serving('b', { previous: [ref('a')] }) }, [
    quarantined('b'),
  ])
  const plan = planPublish(publishInput(state, { 'shop/card': ref('c') }))
  expect(card(plan)?.previous).toEqual([ref('a')])
})

test.each([
  ['older', 'COMMIT_OLDER'],
  ['diverged', 'COMMIT_OLDER'],
  ['unknown', 'COMMIT_UNKNOWN'],
  ['shallow', 'CLONE_SHALLOW'],
] as const)(
  'a commit that is %s is refused with %s, unless older ones are allowed',
  (lineage, code) => {
    const state = environment({ 'shop/card': serving('b') })
    const wanted = { 'shop/card': ref('a') }
    const plan = planPublish(publishInput(state, wanted, { lineage }))
    expect(plan.draft).toBeNull()
    expect(plan.refusals.map((refusal) => refusal.code)).toEqual([code])
    const allowed = planPublish(publishInput(state, wanted, { lineage, allowOlder: true }))
    expect(kinds(allowed)).toEqual(['updated'])
  },
)
