import { describe, expect, it } from 'vitest'
import { defaultAnalysisLimits } from '../manifest/analysis-limits.ts'
import type { FunctionState, ReleaseRef, Rollout } from '../manifest/group-document.ts'
import type { QuarantineEntry } from '../manifest/quarantine.ts'
import {
  testFunctionState as want,
  testQuarantineEntry as quarantine,
  testRef,
  testRollout,
  testStop as stopped,
} from '../manifest/testing/test-documents.ts'
import { type FunctionPlan, planActivation, type ServingState } from './plan-activation.ts'

const [a, b, c] = [testRef('a'), testRef('b'), testRef('c')]

const rolloutTo = (canary: ReleaseRef, weightPercent: number): Rollout =>
  testRollout(canary, { weightPercent })

const serves = (stable: ReleaseRef | null, more: Partial<ServingState> = {}): ServingState => ({
  stable,
  canary: null,
  stopped: false,
  ...more,
})

interface Case {
  readonly serving?: ServingState
  readonly desired?: FunctionState
  readonly quarantine?: readonly QuarantineEntry[]
  readonly lastGood?: ReleaseRef
  readonly failed?: readonly ReleaseRef[]
  readonly warmPrevious?: number
  readonly stableTripped?: boolean
}

async function planOne(given: Case) {
  const [plan] = await planActivation({
    serving: new Map(given.serving ? [['shop/card', given.serving]] : []),
    desired: new Map(given.desired ? [['shop/card', given.desired]] : []),
    quarantine: given.quarantine ?? [],
    lastGood: new Map(given.lastGood ? [['shop/card', given.lastGood]] : []),
    failed: new Set(given.failed?.map((each) => each.release)),
    warmPrevious: given.warmPrevious ?? 1,
    isStableTripped: () => given.stableTripped === true,
  })
  if (plan === undefined) throw new Error('no plan')
  return plan
}

const canaryOf = (canary: ReleaseRef, weightPercent: number) => ({
  ref: canary,
  weightPercent,
  salt: 'salt-salt',
  analysis: defaultAnalysisLimits,
})

describe('planActivation', () => {
  it.each<[string, Case, FunctionPlan['action'], ReleaseRef[]]>([
    ['keeps what serves as desired', { serving: serves(a), desired: want(a) }, 'keep', [a]],
    ['activates a function it has never seen', { desired: want(a) }, 'activate', [a]],
    [
      'activates a new release, with what serves behind it',
      { serving: serves(a), desired: want(b) },
      'activate',
      [b, a],
    ],
    ['retires what nobody desires', { serving: serves(a) }, 'retire', []],
    [
      'activates again when it is stopped',
      { serving: serves(a), desired: want(a, { hold: stopped }) },
      'activate',
      [a],
    ],
    [
      'keeps what is stopped as desired',
      { serving: serves(a, { stopped: true }), desired: want(a, { hold: stopped }) },
      'keep',
      [a],
    ],
    [
      'keeps serving through a quarantined stable',
      { serving: serves(a), desired: want(b), quarantine: [quarantine(b)] },
      'keep',
      [a],
    ],
    [
      'leaves a quarantined release that serves for the one proven before it',
      { serving: serves(b), desired: want(b, { previous: [a] }), quarantine: [quarantine(b)] },
      'activate',
      [a],
    ],
    [
      'serves nothing when all it knows is quarantined',
      { serving: serves(b), desired: want(b), quarantine: [quarantine(b)] },
      'activate',
      [],
    ],
    [
      'falls back after a restart on what served, then on what was proven',
      { desired: want(c, { previous: [a] }), lastGood: b },
      'activate',
      [c, b, a],
    ],
    [
      'keeps serving while the desired release is known to fail',
      { serving: serves(a), desired: want(b), failed: [b] },
      'keep',
      [a],
    ],
    [
      'leaves a stable that was tripped for the release before it, and takes it last',
      { serving: serves(b), desired: want(b, { previous: [a] }), stableTripped: true },
      'activate',
      [a, b],
    ],
    [
      'stays with what took over from a stable that was tripped',
      { serving: serves(a), desired: want(b, { previous: [a, c] }), stableTripped: true },
      'keep',
      [a, c, b],
    ],
    [
      'keeps a stable that was tripped when nothing else is left',
      { serving: serves(b), desired: want(b), stableTripped: true },
      'keep',
      [b],
    ],
    [
      'ignores a quarantine of another function',
      {
        serving: serves(a),
        desired: want(b),
        quarantine: [{ ...quarantine(b), function: 'shop/quote' }],
      },
      'activate',
      [b, a],
    ],
  ])('%s', async (_title, given, action, stable) => {
    const plan = await planOne(given)
    expect(plan.action).toBe(action)
    expect(plan.stable).toEqual(stable)
  })

  it('activates a canary, a change of its weight and its end', async () => {
    const at20 = want(a, { rollout: rolloutTo(b, 20) })
    const started = await planOne({ serving: serves(a), desired: at20 })
    expect(started).toMatchObject({ action: 'activate', canary: canaryOf(b, 20) })

    const running = serves(a, { canary: canaryOf(b, 20) })
    expect((await planOne({ serving: running, desired: at20 })).action).toBe('keep')
    expect(
      await planOne({ serving: running, desired: want(a, { rollout: rolloutTo(b, 50) }) }),
    ).toMatchObject({ action: 'activate', canary: { weightPercent: 50 } })
    expect(await planOne({ serving: running, desired: want(a) })).toMatchObject({
      action: 'activate',
      canary: null,
    })
  })

  it('takes the weight from a quarantined canary and says so', async () => {
    const plan = await planOne({
      serving: serves(a, { canary: canaryOf(b, 20) }),
      desired: want(a, { rollout: rolloutTo(b, 20) }),
      quarantine: [quarantine(b)],
    })
    expect(plan).toMatchObject({ action: 'activate', canary: null, stable: [a] })
    expect(plan.refused).toMatchObject([{ side: 'canary', why: 'quarantined', ref: b }])
  })

  it('keeps as many previous releases warm as the setting says, none of them quarantined', async () => {
    const desired = want(c, { previous: [b, a] })
    expect((await planOne({ desired })).warm).toEqual([b])
    expect((await planOne({ desired, warmPrevious: 2 })).warm).toEqual([b, a])
    expect((await planOne({ desired, quarantine: [quarantine(b)] })).warm).toEqual([a])
  })

  it('lists functions by name, whatever the order of the documents', async () => {
    const plans = await planActivation({
      serving: new Map([['shop/z', serves(a)]]),
      desired: new Map([
        ['shop/m', want(a)],
        ['shop/b', want(a)],
      ]),
      quarantine: [],
      warmPrevious: 0,
    })
    expect(plans.map((plan) => `${plan.action} ${plan.function}`)).toEqual([
      'activate shop/b',
      'activate shop/m',
      'retire shop/z',
    ])
  })
})
