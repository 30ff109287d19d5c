import {
  digestOf,
  type FunctionState,
  objectKey,
  signDocument,
} from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import { testRollout, testStop } from '../../../runtime/src/manifest/testing/test-documents.ts'
import { createTestTrust } from '../../../runtime/src/manifest/testing/test-trust.ts'
import type { EnvironmentState } from '../../src/environment-state/environment-state.ts'
import { readEnvironment } from '../../src/environment-state/read-environment.ts'
import { toFunctionStates } from '../../src/plan/function-states.ts'
import type { Order } from '../../src/plan/order.ts'
import { planAbort } from '../../src/plan/plan-abort.ts'
import { planApprove } from '../../src/plan/plan-approve.ts'
import { planClear } from '../../src/plan/plan-clear.ts'
import { planHold } from '../../src/plan/plan-hold.ts'
import { planPromote } from '../../src/plan/plan-promote.ts'
import { planRefresh } from '../../src/plan/plan-refresh.ts'
import { planResume } from '../../src/plan/plan-resume.ts'
import { planRollback } from '../../src/plan/plan-rollback.ts'
import { planStep } from '../../src/plan/plan-step.ts'
import type { Plan } from '../../src/plan/plan.ts'
import { applyDraft } from '../../src/publish/apply-draft.ts'
import { changeEnvironment } from '../../src/publish/change-environment.ts'
import { createTestPublisher, createTestRelease, publishCode } from './environment-under-test.ts'

const trust = await createTestTrust()
const blue = { colour: 'blue' }

/** What later versions of needle write: keys nobody here knows, wherever an object stands. */
async function writtenLater(change: (state: FunctionState) => FunctionState) {
  const publisher = createTestPublisher(trust)
  for (const n of [1, 2]) {
    await publishCode(publisher, trust, { 'shop/card': `card ${n}`, 'shop/quote': 'quote' })
  }
  const { ref, uploads } = await createTestRelease(trust, 'shop/card', 'card 3')
  for (const { key, read } of uploads.flat()) await publisher.access.store.put(key, await read())
  const { state, pointer } = await readEnvironment(publisher.access)
  const { shop } = state.groups
  const [card, quote] = [shop?.functions['card'], shop?.functions['quote']]
  if (shop === undefined || card === undefined || quote === undefined) throw new Error('nothing')
  const canary = { ...ref, ...blue }
  const stepTo = (weightPercent: number) => ({ weightPercent, bakeMs: 0, approval: true, ...blue })
  const steps = [stepTo(10), stepTo(50)]
  const rollout = { ...testRollout(canary, { steps }), weightPercent: 10, ...blue }
  const previous = card.previous.map((each) => Object.assign({}, each, blue))
  const later = change({ ...card, ...blue, previous, rollout })
  const functions = { card: later, quote: { ...quote, ...blue } }
  const groups = { shop: { ...shop, ...blue, functions } }
  const { actor, reason, commit } = state.newest?.manifest ?? {
    actor: '',
    reason: '',
    commit: null,
  }
  const draft = { actor, reason, commit, groups, quarantine: [] }
  await applyDraft(publisher, { state, pointer, draft, lifetimeMs: 60_000 })
  return publisher
}

const held = { ...testStop, mode: 'revision' as const, ...blue }
const stopped = { ...testStop, ...blue, covers: held }
const nothing = { hold: null }
const ordered: readonly (readonly [string, object, (order: Order) => Plan, object])[] = [
  [
    'stop',
    { hold: held },
    (order) => planHold({ ...order, stop: true, until: null }),
    { hold: { covers: blue } },
  ],
  ['resume', { hold: stopped }, planResume, { hold: blue }],
  [
    'hold',
    { hold: stopped },
    (order) => planHold({ ...order, stop: false, until: null }),
    { hold: blue },
  ],
  [
    'clear',
    { hold: held },
    (order) => planClear({ ...order, hold: true, quarantine: null }),
    nothing,
  ],
  [
    'step',
    nothing,
    (order) => planStep({ ...order, callsBefore: 0 }),
    { rollout: { ...blue, step: 1, steps: [blue, blue], canary: blue } },
  ],
  ['approve', nothing, planApprove, { rollout: { ...blue, approved: { by: 'Bo' } } }],
  ['promote', nothing, planPromote, { stable: blue, previous: [{}, blue] }],
  ['abort', { hold: stopped }, planAbort, { hold: { ...blue, covers: blue }, rollout: null }],
  ['rollback', nothing, (order) => planRollback({ ...order, to: 'previous' }), { stable: blue }],
  [
    'refresh',
    { hold: stopped },
    planRefresh,
    { hold: stopped, rollout: { ...blue, canary: blue } },
  ],
]

// An on-call laptop has an older needle than the workflow: what it orders must not undo the rest.
test.each(ordered)('%s keeps what a later version wrote', async (_, more, plan, expected) => {
  const publisher = await writtenLater((state) => ({ ...state, ...more }))
  const order = { function: 'shop/card', actor: 'Bo', reason: 'drill', now: Date.now() }
  const outcome = await changeEnvironment(publisher, async (state) => ({
    plan: plan({ ...order, state }),
    uploads: [],
  }))
  expect(outcome).toMatchObject({ isWritten: true, plan: { refusals: [] } })
  const { state } = await readEnvironment(publisher.access)
  expect(state.groups['shop']).toMatchObject(blue)
  expect(cardOf(state)).toMatchObject({ ...blue, ...expected })
  expect(toFunctionStates(state.groups).get('shop/quote')).toMatchObject(blue)
})

test('publish keeps what a later version wrote of what it changes, and of what it does not', async () => {
  const publisher = await writtenLater((state) => state)
  const code = { 'shop/card': 'card 4', 'shop/quote': 'quote', 'shop/new': 'new' }
  await publishCode(publisher, trust, code)
  const { state } = await readEnvironment(publisher.access)
  expect(state.groups['shop']).toMatchObject(blue)
  expect(cardOf(state)).toMatchObject({ ...blue, previous: [{}, blue] })
  expect(toFunctionStates(state.groups).get('shop/quote')).toMatchObject(blue)
})

test('what a manifest requires stays required: it is still in the groups', async () => {
  const publisher = await writtenLater((state) => state)
  const { access, signer } = publisher
  const { state } = await readEnvironment(access)
  const newest = state.newest
  if (newest === null) throw new Error('nothing')
  const { manifest, digest } = newest
  const version = manifest.version + 1
  const later = { ...manifest, version, previous: digest, requires: ['colours'] }
  const bytes = await signDocument({ kind: 'manifest', payload: later }, [signer])
  await access.store.put(objectKey.history('production', version), bytes)
  await changeEnvironment(publisher, async (from) => ({
    plan: planRefresh({ state: from, actor: 'Bo', reason: 'drill' }),
    uploads: [],
  }))
  const after = await readEnvironment(access)
  expect(after.state.newest?.manifest).toMatchObject({
    version: version + 1,
    requires: ['colours'],
    previous: digestOf(bytes),
  })
})

function cardOf({ groups }: EnvironmentState): FunctionState | undefined {
  return toFunctionStates(groups).get('shop/card')
}
