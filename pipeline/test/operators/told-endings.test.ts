import { shortDigest } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import { explainChange } from '../../src/plan/explain-change.ts'
import { planAbort } from '../../src/plan/plan-abort.ts'
import { planHold } from '../../src/plan/plan-hold.ts'
import { planPromote } from '../../src/plan/plan-promote.ts'
import { planPublish } from '../../src/plan/plan-publish.ts'
import { planRollback } from '../../src/plan/plan-rollback.ts'
import type { Plan } from '../../src/plan/plan.ts'
import {
  environment,
  order,
  publishInput,
  ref,
  rollout,
  serving,
  steps,
} from '../../src/plan/testing/plan-samples.ts'
import { tellRelease } from '../../src/trace/release-story.ts'

const [a, b, c, z] = ['a', 'b', 'c', 'z'].map((letter) => shortDigest(ref(letter).release))
const before = environment({
  'shop/card': serving('a', { previous: [ref('z')], rollout: rollout('b') }),
})
const merge = (
  wanted: Parameters<typeof publishInput>[1],
  more: { canarySteps?: typeof steps } = {},
) => planPublish(publishInput(before, wanted, more))

/** What `history` says of the function, and `trace` of the canary. */
function told({ draft }: Plan): readonly [readonly string[], readonly string[]] {
  if (draft === null) throw new Error('nothing was planned')
  const after = { ...before, groups: draft.groups, quarantine: draft.quarantine }
  const changes = explainChange(before, after).filter((each) => each.function === 'shop/card')
  const story = tellRelease({ function: 'shop/card', ref: ref('b') }, before, after)
  return [changes.map(({ text }) => text), story.map(({ kind, text }) => `${kind}: ${text}`)]
}

test.each([
  [
    'the next merge, which has steps of its own',
    merge({ 'shop/card': ref('c') }, { canarySteps: steps }),
    [`canary ${b} overtaken by the next merge`, `canary ${c} at 20 %`],
    [`overtaken: overtaken by the next merge: canary ${c} took its place`],
  ],
  [
    'the next merge, which serves at once',
    merge({ 'shop/card': ref('c') }),
    [`${a} → ${c}`, `canary ${b} overtaken by the next merge`],
    [`overtaken: overtaken by the next merge: ${c} serves all`],
  ],
  [
    'a merge that goes back to a release before stable',
    merge({ 'shop/card': ref('z') }),
    [`${a} → ${z}`, `canary ${b} overtaken by the next merge`],
    [`overtaken: overtaken by the next merge: ${z} serves all`],
  ],
  [
    'its revert',
    merge({ 'shop/card': ref('a') }),
    [`canary ${b} ended: Git is back at stable`],
    [`canary-ended: ended as canary: Git is back at ${a}`],
  ],
  [
    'the end of its function',
    merge({ 'shop/quote': ref('c') }),
    ['removed: deleted or renamed in Git', `canary ${b} ended with its function`],
    ['removed: ended as canary with its function, which was deleted or renamed in Git'],
  ],
  [
    'another name of its function',
    merge({ 'shop/gift-card': ref('b') }),
    ['removed: deleted or renamed in Git', `canary ${b} ended with its function`],
    ['removed: ended as canary with its function, which was deleted or renamed in Git'],
  ],
  [
    'its promotion',
    planPromote(order(before)),
    [`${a} → ${b}`, `canary ${b} promoted`],
    ['promoted: promoted: serves all'],
  ],
  [
    'an abort',
    planAbort(order(before)),
    [`canary ${b} aborted`, `held at ${a}`, expect.stringContaining('quarantined')],
    [`aborted: canary aborted and quarantined, ${a} serves all`],
  ],
  [
    'a rollback of its stable',
    planRollback({ ...order(before), to: 'previous' }),
    [
      `${a} → ${z}`,
      `canary ${b} aborted`,
      `held at ${z}`,
      expect.stringContaining('quarantined'),
      expect.stringContaining('quarantined'),
    ],
    [`aborted: canary aborted and quarantined, ${z} serves all`],
  ],
])('a canary ended by %s is told so', (_, plan, history, trace) => {
  expect(told(plan)).toEqual([history, trace])
})

test('a canary that was signed again by another key is not told to have ended', () => {
  const groups = environment({
    'shop/card': serving('a', { rollout: { ...rollout('b'), canary: ref('b', 'signed again') } }),
  }).groups
  const changes = explainChange(before, { ...before, groups })
  const again = shortDigest(ref('b', 'signed again').release)
  expect(changes.map(({ text }) => text)).toEqual([`canary ${again} at 20 %`])
  const story = tellRelease({ function: 'shop/card', ref: ref('b') }, before, { ...before, groups })
  expect(story).toMatchObject([{ text: `signed again: goes on as canary ${again}` }])
})

test('a canary whose function is stopped, and resumed, is told so: it serves nobody meanwhile', () => {
  const stop = planHold({ ...order(before), stop: true, until: null })
  expect(told(stop)).toEqual([['stopped'], ['stopped: stopped by Bob: errors rise']])
  const stopped = { ...before, groups: stop.draft?.groups ?? {} }
  const story = tellRelease({ function: 'shop/card', ref: ref('b') }, stopped, before)
  expect(story).toEqual([{ kind: 'stop-ended', text: 'stop of Bob ended' }])
})
