import { shortDigest } from '@needle-faas/runtime/manifest'
import { describe, expect, test } from 'vitest'
import { pairName } from './pair.ts'
import { planAbort } from './plan-abort.ts'
import { planClear } from './plan-clear.ts'
import { planHold } from './plan-hold.ts'
import { planPromote } from './plan-promote.ts'
import { planPublish } from './plan-publish.ts'
import { planResume } from './plan-resume.ts'
import { planRefresh } from './plan-refresh.ts'
import { planRollback } from './plan-rollback.ts'
import {
  environment,
  hold,
  order,
  publishInput,
  quarantined,
  ref,
  rollout,
  serving,
} from './testing/plan-samples.ts'
import type { Order } from './order.ts'
import type { Plan } from './plan.ts'

const card = (plan: Plan) => plan.draft?.groups['shop']?.functions['card']
const codes = (plan: Plan) => plan.refusals.map((refusal) => refusal.code)
const texts = (plan: Plan) => plan.changes.map(({ text }) => text)
const quarantine = (plan: Plan) => plan.draft?.quarantine.map((entry) => pairName(entry))
const since = '2026-11-22T10:00:00.000Z'

const onCanary = environment({ 'shop/card': serving('a', { rollout: rollout('b') }) })
const quiet = environment({ 'shop/card': serving('b', { previous: [ref('a')] }) })

/** Where the next order starts from. */
const at = (plan: Plan) => ({ ...quiet, groups: plan.draft?.groups ?? {} })
const stop = (from = quiet, more: { readonly reason?: string } = {}) =>
  planHold({ ...order(from), ...more, stop: true, until: null })

test('an order keeps the commit and names who and why', () => {
  expect(planPromote(order(onCanary)).draft).toMatchObject({
    commit: 'c'.repeat(40),
    actor: 'Bob',
    reason: 'errors rise',
  })
})

test('promote makes the canary stable and keeps the old stable warm, to go back to for ten minutes', () => {
  const window = { rollbackUntil: '2026-11-22T10:10:00.000Z', rollbackSinceVersion: 8 }
  expect(card(planPromote(order(onCanary)))).toEqual(
    serving('b', { previous: [ref('a')], ...window }),
  )
})

test('promote refuses a held function', () => {
  const state = environment({ 'shop/card': serving('a', { rollout: rollout('b'), hold: hold() }) })
  expect(codes(planPromote(order(state)))).toEqual(['FUNCTION_HELD'])
})

test('abort sends everyone to stable, quarantines the canary and holds until Git moves on', () => {
  const plan = planAbort(order(onCanary))
  expect(card(plan)).toEqual(
    serving('a', {
      hold: hold({ by: 'Bob', reason: 'errors rise', since, endsWithMerge: true }),
    }),
  )
  expect(quarantine(plan)).toEqual([pairName(ref('b'))])
})

test.each([
  ['promote', planPromote],
  ['abort', planAbort],
])('%s without a canary is refused', (_, plan) => {
  expect(codes(plan(order(quiet)))).toEqual(['NO_ROLLOUT'])
})

test('rollback to the previous release quarantines what served and holds', () => {
  const plan = planRollback({ ...order(quiet), to: 'previous' })
  expect(card(plan)).toEqual(
    serving('a', {
      hold: hold({ by: 'Bob', reason: 'errors rise', since, endsWithMerge: true }),
    }),
  )
  expect(quarantine(plan)).toEqual([pairName(ref('b'))])
})

describe('once it was taken back', () => {
  const taken = hold({ by: 'Bob', reason: 'errors rise', since, endsWithMerge: true })
  const back = environment({ 'shop/card': serving('b', { previous: [ref('a')], hold: taken }) })
  const digits = shortDigest(ref('b').release)

  test.each([
    ['rollback', (from: Order) => planRollback({ ...from, to: 'previous' })],
    ['rollback to a release', (from: Order) => planRollback({ ...from, to: digits })],
    ['abort', planAbort],
  ])('the same %s typed again says that it is done', (_, plan) => {
    for (const state of [back, at(stop(back))]) {
      const again = plan(order(state))
      expect(again).toMatchObject({ draft: null, changes: [], refusals: [] })
      expect(again.kept).toMatchObject([{ function: 'shop/card', by: 'Bob' }])
      expect(again.kept[0]?.text).toContain(
        `already taken back by Bob, ${since}: errors rise; ${state === back ? 'it' : 'once it is resumed it'} serves ${digits}`,
      )
    }
  })

  test.each([
    ['another reason', { reason: 'b is bad as well' }],
    ['somebody else, or after the controller', { actor: 'Cleo' }],
  ])('one by %s goes no further either, and says with which command it would', (_, more) => {
    const another = planRollback({ ...order(back), ...more, to: 'previous' })
    expect(another.draft).toBeNull()
    expect(codes(another)).toEqual(['ROLLBACK_TARGET'])
    const to = shortDigest(ref('a').release)
    expect(another.refusals[0]?.message).toContain(`needle rollback shop/card --to ${to} --reason`)
    const further = planRollback({ ...order(back), ...more, to })
    expect(card(further)?.stable).toEqual(ref('a'))
    expect(quarantine(further)).toEqual([pairName(ref('b'))])
  })

  test('nothing earlier to go to is no command to copy', () => {
    const last = environment({ 'shop/card': serving('b', { hold: taken }) })
    const refused = planRollback({ ...order(last), reason: 'another', to: 'previous' })
    expect(refused.refusals[0]?.message).toMatch(/Nothing more was changed$/)
  })
})

test('rollback takes a running canary along', () => {
  const state = environment({
    'shop/card': serving('b', { previous: [ref('a')], rollout: rollout('c') }),
  })
  const plan = planRollback({ ...order(state), to: 'previous' })
  expect(card(plan)?.rollout).toBeNull()
  expect(quarantine(plan)).toEqual([pairName(ref('b')), pairName(ref('c'))])
})

test('rollback reaches releases beyond those kept warm by their first digits', () => {
  const plan = planRollback({
    ...order(quiet),
    to: shortDigest(ref('z').release),
    older: [ref('z')],
  })
  expect(card(plan)).toMatchObject({ stable: ref('z'), previous: [ref('a')] })
})

test.each([
  ['no release starts so', 'ffffffffffffffff', []],
  ['it serves already', shortDigest(ref('b').release), []],
])('rollback is refused when %s', (_, to, older) => {
  expect(codes(planRollback({ ...order(quiet), to, older }))).toEqual(['ROLLBACK_TARGET'])
})

test('rollback is refused when nothing earlier is kept', () => {
  const state = environment({ 'shop/card': serving('a') })
  expect(codes(planRollback({ ...order(state), to: 'previous' }))).toEqual(['ROLLBACK_TARGET'])
})

test('rollback to a quarantined release is refused', () => {
  const state = environment({ 'shop/card': serving('b', { previous: [ref('a')] }) }, [
    quarantined('a'),
  ])
  const to = shortDigest(ref('a').release)
  expect(codes(planRollback({ ...order(state), to }))).toEqual(['PAIR_QUARANTINED'])
})

test('rolling back, merging unrelated work, then the revert ends where Git is', () => {
  const rolled = planRollback({ ...order(quiet), to: 'previous' })
  const state = {
    ...quiet,
    groups: rolled.draft?.groups ?? {},
    quarantine: rolled.draft?.quarantine ?? [],
  }
  const unrelated = planPublish(publishInput(state, { 'shop/card': ref('b') }))
  expect(unrelated.changes).toEqual([])
  expect(card(unrelated)).toEqual(card(rolled))
  const revert = planPublish(publishInput(state, { 'shop/card': ref('a') }))
  expect(card(revert)).toEqual(serving('a'))
})

test('hold pins the function as it is, its canary included', () => {
  const plan = planHold({ ...order(onCanary), stop: false, until: since })
  expect(card(plan)).toEqual(
    serving('a', {
      rollout: rollout('b'),
      hold: hold({ by: 'Bob', reason: 'errors rise', since, until: since }),
    }),
  )
})

test('hold --stop stops it', () => {
  const plan = planHold({ ...order(quiet), stop: true, until: null })
  expect(card(plan)?.hold?.mode).toBe('stopped')
})

describe('a stop', () => {
  const left = hold({ by: 'Cleo', reason: '500s', endsWithMerge: true })
  const held = environment({ 'shop/card': serving('b', { previous: [ref('a')], hold: left }) })

  test.each([
    ['of a rollback', left],
    ['of a person', hold({ until: since })],
  ])('gives the hold %s back when it is resumed, and says so', (_, before) => {
    const state = environment({ 'shop/card': serving('b', { hold: before }) })
    const stopped = stop(state)
    expect(card(stopped)?.hold).toMatchObject({ mode: 'stopped', by: 'Bob', covers: before })
    const resumed = planResume(order(at(stopped)))
    expect(card(resumed)).toEqual(serving('b', { hold: before }))
    expect(texts(resumed)).toEqual([
      expect.stringContaining('stop of Bob ended'),
      `held again by ${before.by}: ${before.reason}`,
    ])
  })

  test('of a function that nobody held leaves no hold behind', () => {
    const resumed = planResume(order(at(stop())))
    expect(card(resumed)).toEqual(serving('b', { previous: [ref('a')] }))
    expect(texts(resumed)).toHaveLength(1)
  })

  test('over a stop covers what the first covered', () => {
    const twice = stop(at(stop(held)), { reason: 'still floods' })
    expect(card(twice)?.hold).toMatchObject({ reason: 'still floods', covers: left })
    expect(card(planResume(order(at(twice))))?.hold).toEqual(left)
  })

  test.each([
    ['a stop', { stop: true, until: null }],
    ['a hold', { stop: false, until: since }],
  ])('or hold ordered again changes nothing: %s', (_, what) => {
    const first = planHold({ ...order(held), ...what })
    expect(first.changes).toHaveLength(1)
    const again = planHold({ ...order(at(first)), ...what })
    expect(again).toEqual({ draft: null, changes: [], kept: [], refusals: [] })
    expect(planHold({ ...order(at(first)), ...what, actor: 'Eve' }).changes).toHaveLength(1)
    const later = '2027-01-01T00:00:00.000Z'
    expect(planHold({ ...order(at(first)), ...what, until: later }).changes).toHaveLength(1)
  })

  test('ends with all below it when it is cleared, and says so', () => {
    const plan = planClear({ ...order(at(stop(held))), hold: true, quarantine: null })
    expect(card(plan)?.hold).toBeNull()
    expect(texts(plan)).toEqual([
      expect.stringContaining('stop of Bob cleared, serves'),
      'hold of Cleo below it cleared as well',
    ])
  })

  test('is not ended by a rollback: the older release is held, and serves once it is resumed', () => {
    const rolled = planRollback({ ...order(at(stop())), reason: 'b is bad', to: 'previous' })
    expect(card(rolled)).toMatchObject({ stable: ref('a'), hold: { mode: 'stopped' } })
    expect(texts(rolled)[0]).toContain('held there once it is resumed, stays stopped')
    expect(quarantine(rolled)).toEqual([pairName(ref('b'))])
    const resumed = planResume(order(at(rolled)))
    const after = hold({ by: 'Bob', reason: 'b is bad', since, endsWithMerge: true })
    expect(card(resumed)).toEqual(serving('a', { hold: after }))
  })

  test.each([
    ['nobody held', null, hold({ by: 'Bob', reason: 'b is bad', since, endsWithMerge: true })],
    ['a person held', hold(), hold()],
  ])('is not ended by an abort of a function that %s', (_, before, after) => {
    const state = environment({
      'shop/card': serving('a', { rollout: rollout('b'), hold: before }),
    })
    const aborted = planAbort({ ...order(at(stop(state))), reason: 'b is bad' })
    expect(card(aborted)?.hold).toMatchObject({ mode: 'stopped', covers: after })
    expect(texts(aborted)[0]).toContain('serves all once it is resumed')
    expect(card(planResume(order(at(aborted))))).toEqual(serving('a', { hold: after }))
  })

  test('is not ended by a hold, which holds once it is resumed', () => {
    const later = planHold({ ...order(at(stop(held))), stop: false, until: null })
    expect(card(later)?.hold?.mode).toBe('stopped')
    expect(texts(later)[0]).toContain('once it is resumed, stays stopped')
    const mine = hold({ by: 'Bob', reason: 'errors rise', since })
    expect(card(planResume(order(at(later))))?.hold).toEqual(mine)
  })
})

test('clear ends the hold and allows the pair again', () => {
  const state = environment({ 'shop/card': serving('a', { hold: hold() }) }, [
    quarantined('b'),
    quarantined('c'),
  ])
  const plan = planClear({ ...order(state), hold: true, quarantine: pairName(ref('b')) })
  expect(card(plan)).toEqual(serving('a'))
  expect(quarantine(plan)).toEqual([pairName(ref('c'))])
})

test.each([
  ['nothing is named', { hold: false, quarantine: null }],
  ['it is not held', { hold: true, quarantine: null }],
  ['the pair is not quarantined', { hold: false, quarantine: 'ffffffffffff' }],
])('clear is refused when %s', (_, what) => {
  const state = environment({ 'shop/card': serving('a') }, [quarantined('b')])
  expect(codes(planClear({ ...order(state), ...what }))).toEqual(['NOTHING_TO_CLEAR'])
})

test('refresh keeps everything', () => {
  const plan = planRefresh({ state: onCanary, actor: 'schedule', reason: 'refresh' })
  expect(plan.draft).toMatchObject({ groups: onCanary.groups, commit: 'c'.repeat(40) })
})

test('an order about a function that is not there names those that are', () => {
  const plan = planPromote(order(quiet, 'shop/crad'))
  expect(codes(plan)).toEqual(['FUNCTION_UNKNOWN'])
  expect(plan.refusals[0]?.message).toContain('shop/card')
})

test('an order about an environment nothing was published to is refused', () => {
  const empty = { ...environment({}), newest: null }
  expect(codes(planAbort(order(empty)))).toEqual(['ENVIRONMENT_EMPTY'])
  expect(codes(planRefresh({ state: empty, actor: 'a', reason: 'r' }))).toEqual([
    'ENVIRONMENT_EMPTY',
  ])
})
