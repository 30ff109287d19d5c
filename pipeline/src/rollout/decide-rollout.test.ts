import {
  defaultAnalysisLimits,
  type ReportedFunction,
  type ReportedStep,
  type Rollout,
} from '@needle-faas/runtime/manifest'
import { describe, expect, test } from 'vitest'
import { hold, now, ref, rollout, serving } from '../plan/testing/plan-samples.ts'
import { decideRollout } from './decide-rollout.ts'
import type { RolloutQuestion } from './rollout-question.ts'
import { fleet, measured, reading, side, tripOn } from './testing/fleet-samples.ts'

const minute = 60_000
const good = measured(side(900, 1), side(200))
const three = [reading('one', good), reading('two', good), reading('three', good)]
const canary: Rollout = { ...rollout('b'), sinceVersion: 7 }

/** `shop/card` at 20 %, baked for an hour, measured well everywhere. */
function ask(more: Partial<RolloutQuestion> = {}, changed: Partial<Rollout> = {}) {
  return decideRollout({
    environment: 'production',
    function: 'shop/card',
    state: serving('a', { rollout: { ...canary, ...changed } }),
    epoch: 1,
    fleet: fleet(three),
    before: new Map(),
    metric: null,
    stepBegan: now - 60 * minute,
    now,
    ...more,
  })
}

const bad = measured(side(90), side(20, 20), tripOn(side(90), side(10, 10)))
const harm = {
  code: 'FUNCTION_RUNAWAY',
  message: 'ran for 5 s',
  since: '2026-11-22T09:30:00.000Z',
  release: ref('b').release,
}

describe('forward', () => {
  test('a step that baked, was measured enough and is within its limits is followed by the next', () => {
    expect(ask()).toMatchObject({
      kind: 'step',
      verdict: 'successful',
      evidence: { live: 3, voted: 3, canary: side(600), stable: side(2700, 3) },
    })
  })

  test('after the last step everyone gets it', () => {
    const last = { step: 1, weightPercent: 100 }
    expect(ask({}, last)).toMatchObject({ kind: 'promote', verdict: 'successful' })
  })

  test('a step waits until it has baked', () => {
    expect(ask({ stepBegan: now - 20_000 })).toMatchObject({ kind: 'wait', verdict: 'running' })
  })

  test.each([
    ['ahead', '2026-11-22T10:10:00.000Z'],
    ['behind', '2026-11-22T09:49:50.000Z'],
  ])('a publisher whose clock is ten minutes %s makes a step no shorter', (_, since) => {
    expect(ask({ stepBegan: now - 20_000 }, { since })).toMatchObject({ kind: 'wait' })
    expect(ask({ stepBegan: now - 2 * minute }, { since })).toMatchObject({ kind: 'step' })
  })

  test('calls of earlier steps do not count for this one', () => {
    expect(askAfter(150)).toMatchObject({ kind: 'step' })
    expect(askAfter(170)).toMatchObject({
      kind: 'hold',
      text: expect.stringContaining('90 of the'),
    })
    // No call was made at this weight yet.
    expect(askAfter(0, 10)).toMatchObject({
      kind: 'hold',
      text: expect.stringContaining('0 of the'),
    })
  })

  test('of instances too old to say which calls are of the step only those that must be count', () => {
    expect(ask({}, { callsBefore: 300 })).toMatchObject({ kind: 'step' })
    // Without any one of them 400 are left.
    expect(ask({}, { callsBefore: 301 })).toMatchObject({
      kind: 'hold',
      text: expect.stringContaining('99 of the 100'),
    })
    expect(ask({}, { callsBefore: 10_000 })).toMatchObject({ kind: 'hold' })
  })

  test.each([1, 2, 3, 20])('a fleet of %i that is called alike goes on', (count) => {
    // Any one may be left out, so that the others need as many calls as a judgement does.
    const calls = Math.ceil(100 / Math.max(1, count - 1))
    const enough = measured(side(900, 1), side(calls))
    expect(ask({ fleet: fleetOf(count, enough) })).toMatchObject({ kind: 'step' })
    const few = measured(side(900, 1), side(calls - 1))
    expect(ask({ fleet: fleetOf(count, few) })).toMatchObject({
      kind: 'hold',
      verdict: 'inconclusive',
    })
  })
})

describe('holding', () => {
  test('no traffic is neither success nor failure (flagger#1353, argo-rollouts#3850, argo-rollouts#1905)', () => {
    const idle = fleet([reading('one', measured(side(0), side(0))), reading('two')])
    for (const age of [5, 600, 100_000]) {
      const decision = ask({ fleet: idle, stepBegan: now - age * minute })
      expect(decision).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
      expect(decision?.text).toContain('0 of the 100 calls')
    }
  })

  test('without any report measuring is broken', () => {
    expect(ask({ fleet: fleet([]) })).toMatchObject({ kind: 'hold', verdict: 'error' })
  })

  test('a canary that silences most of those who run it is not taken for good', () => {
    const silent = fleet([three[0] ?? reading('one')], { dead: three.slice(1) })
    const decision = ask({ fleet: silent })
    expect(decision).toMatchObject({ kind: 'hold', verdict: 'error', evidence: { dead: 2 } })
    expect(decision?.text).toContain(
      '2 instances that ran it fell silent without stopping in order, 1 still reports. Silent: two for 1 s, three for 1 s. It goes on once 4 that run it report',
    )
    expect(decision?.text).toContain('needle abort shop/card')
    expect(decision?.text).toContain('environments/production/instances/<name>.json')
  })

  test.each([
    ['half', 2, 2, { kind: 'hold', verdict: 'error' }],
    ['all', 0, 2, { kind: 'hold', verdict: 'error' }],
    ['fewer than half', 4, 2, { kind: 'step' }],
    // One that reports may be invented: without it half is silent.
    ['one less than half', 3, 2, { kind: 'hold', verdict: 'inconclusive' }],
  ])('%s of those who ran it silent: %i report, %i do not', (_, reporting, silent, expected) => {
    const dead = fleetOf(silent, good).live
    for (const more of [{ dead }, { gone: dead }]) {
      expect(ask({ fleet: fleet(fleetOf(reporting, good).live, more) })).toMatchObject(expected)
    }
  })

  describe('of a fleet of three, one of which was killed', () => {
    const killed = reading('three', good, { ageMs: 12 * minute })
    const look = (more: readonly string[]) => {
      const live = [...three.slice(0, 2), ...more.map((name) => reading(name, good))]
      return ask({ fleet: fleet(live, { dead: [killed] }) })
    }

    test('two wait, and say for whom and what to do', () => {
      const decision = look([])
      expect(decision).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
      expect(decision?.text).toContain(
        'Without one: 1 instance that ran it fell silent without stopping in order, 1 still reports. Silent: three for 12 min. It goes on once 3 that run it report, such as replacements, not by time. Look at it. If the canary did it: needle abort shop/card',
      )
      expect(decision?.text).toContain('delete environments/production/instances/three.json, or')
    })

    test('they go on when its replacement reports, or its report is deleted', () => {
      expect(look(['three-again'])).toMatchObject({ kind: 'step', evidence: { voted: 3 } })
      expect(ask({ fleet: fleet(three.slice(0, 2)) })).toMatchObject({ kind: 'step' })
    })

    test('the replacement has to run it first', () => {
      const late = reading('three-again', {}, { version: 6 })
      const live = [...three.slice(0, 2), late]
      expect(ask({ fleet: fleet(live, { dead: [killed] }) })).toMatchObject({ kind: 'hold' })
    })
  })

  test.each([1, 2])('of a fleet of %i one killed and replaced is for a person', (count) => {
    const dead = [reading('killed', good)]
    const decision = ask({ fleet: fleet(fleetOf(count, good).live, { dead }) })
    expect(decision).toMatchObject({ kind: 'hold' })
    expect(decision?.text).toContain('It goes on once 3 that run it report')
    expect(decision?.text).toContain('delete environments/production/instances/killed.json')
  })

  test.each([
    ['that ran the step', reading('old', good), 'error'],
    ['that ran a step before', reading('old', good, { version: 6 }), 'error'],
    ['whose first call of it was the last', reading('old', {}, { version: 6 }), 'error'],
    ['that ran an earlier rollout of it', reading('old', salted('another-salt')), 'inconclusive'],
    ['that ran stable only', reading('old', { canary: null, weightPercent: 0 }), 'inconclusive'],
  ])('an instance %s and has been silent for hours', (_, gone, verdict) => {
    const few = reading('one', measured(side(90), side(9)))
    const decision = ask({ fleet: fleet([few], { gone: [gone] }) })
    expect(decision).toMatchObject({ kind: 'hold', verdict, evidence: { dead: 0 } })
  })

  test('instances that were stopped in order are missed by nobody, but what tripped them counts', () => {
    const stopped = { left: three.slice(1) }
    expect(ask({ fleet: fleet(three.slice(0, 1), stopped) })).toMatchObject({
      kind: 'step',
      evidence: { live: 1, dead: 0 },
    })
    expect(ask({ fleet: fleet(three, { left: [reading('four', bad)] }) })).toMatchObject({
      kind: 'abort',
    })
  })

  test('half of the live instances is no majority, and the late are named', () => {
    const late = reading('late', good, { version: 6 })
    const decision = ask({ fleet: fleet([reading('one', good), late]) })
    expect(decision).toMatchObject({
      kind: 'hold',
      verdict: 'inconclusive',
      evidence: { voted: 1, late: 1 },
    })
    expect(decision?.text).toContain('Late: late')
    expect(ask({ fleet: fleet([...three, late]) })).toMatchObject({ kind: 'step' })
  })

  test('shares over their limits by what may be chance are given more time', () => {
    const some = fleet([reading('one', measured(side(900, 1), side(110, 3)))])
    expect(ask({ fleet: some })).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
  })

  test.each([
    ['a freeze', { freeze: [window()] }, 'Black Friday'],
    ['approval', { steps: [...canary.steps.slice(0, 1), wanting()] }, 'needle approve shop/card'],
  ])('%s holds what has passed', (_, changed, text) => {
    const decision = ask({}, changed)
    expect(decision).toMatchObject({ kind: 'hold', verdict: 'successful' })
    expect(decision?.text).toContain(text)
  })

  test('an approved step begins, one approved for another does not', () => {
    const steps = [...canary.steps.slice(0, 1), wanting()]
    const by = { by: 'Ann', reason: 'seen', at: '2026-11-22T09:30:00.000Z' }
    const approved = (step: number) => ask({}, { steps, approved: { step, ...by } })
    expect(approved(1)).toMatchObject({ kind: 'step' })
    expect(approved(0)).toMatchObject({ kind: 'hold' })
  })

  test('a first step that has not begun waits for nothing but freeze and approval', () => {
    const idle = { fleet: fleet([]), stepBegan: now }
    expect(ask(idle, { weightPercent: 0 })).toMatchObject({ kind: 'step', verdict: 'pending' })
    const still = { weightPercent: 0, freeze: [window()] }
    expect(ask(idle, still)).toMatchObject({ kind: 'hold', verdict: 'pending' })
  })

  test.each([
    ['holds', {}, 'held by Ann: Black Friday. To go on: needle clear shop/card --hold'],
    ['stopped', { mode: 'stopped' }, 'stopped by Ann: Black Friday. To go on: needle resume shop/'],
  ] as const)('a person who %s the function holds its steps', (_, more, text) => {
    const held = serving('a', { rollout: canary, hold: hold(more) })
    expect(ask({ state: held })).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
    expect(ask({ state: held })?.text).toContain(text)
  })

  test.each([
    [null, 'error', 'no Prometheus was given'],
    [{ status: 'failed', message: 'Prometheus is away' }, 'error', 'Prometheus is away'],
    [{ status: 'empty', message: 'no number' }, 'inconclusive', 'no number'],
  ] as const)('a metric that answers %o holds', (metric, verdict, text) => {
    const decision = ask({ metric }, asking())
    expect(decision).toMatchObject({ kind: 'hold', verdict })
    expect(decision?.text).toContain(text)
  })

  test('a metric within its bound lets go and is evidence', () => {
    const metric = { status: 'value', value: 0.4 } as const
    expect(ask({ metric }, asking())).toMatchObject({ kind: 'step', evidence: { metric: 0.4 } })
  })
})

describe('backward', () => {
  test.each([
    ['a trip', bad, 'was stopped by one: 10 of 10 calls failed'],
    ['a runaway', { refusals: [harm] }, 'harms on one: FUNCTION_RUNAWAY'],
  ])('%s on one instance stops the canary everywhere', (_, card, text) => {
    const decision = ask({ fleet: fleet([reading('one', card), ...three.slice(1)]) })
    expect(decision).toMatchObject({ kind: 'abort', verdict: 'failed' })
    expect(decision?.text).toContain(text)
  })

  test('an instance that died after it tripped is heard', () => {
    const died = reading('one', bad, { ageMs: 10 * minute })
    expect(ask({ fleet: fleet([], { dead: [died] }) })).toMatchObject({ kind: 'abort' })
  })

  test.each([
    ['silent for hours', {}],
    ['stopped in order hours ago', { stopped: true }],
  ])('a trip of this rollout counts however long ago, by an instance %s', (_, more) => {
    const gone = [reading('old', bad, { ageMs: 100 * 60 * minute, ...more })]
    const decision = ask({ fleet: fleet(three, { gone }) })
    expect(decision).toMatchObject({ kind: 'abort', verdict: 'failed', evidence: { live: 3 } })
    expect(decision?.text).toContain('was stopped by old: 10 of 10 calls failed')
    // One that its counts do not bear out is as little believed as any, and told of by nobody.
    const forged = [reading('old', tripped(side(90), side(2, 2)), more)]
    expect(ask({ fleet: fleet(three, { gone: forged }) })).toMatchObject({
      kind: 'step',
      refused: [],
    })
    const earlier = [reading('old', salted('another-salt'), more)]
    expect(ask({ fleet: fleet(three, { gone: earlier }) })).toMatchObject({ kind: 'step' })
  })

  // What an instance that died before it was cleared says of another rollout of the same release.
  test.each([
    ['this rollout', { salt: 'earlier-salt' }, {}, 'abort'],
    ['another one of it', { salt: 'another-salt' }, {}, 'step'],
    ['it as stable', { salt: null }, {}, 'step'],
    ['the step, by an older runtime', {}, {}, 'abort'],
    ['a manifest before, by an older runtime', {}, { version: 6 }, 'step'],
  ])('a refusal by an instance that died, of %s', (_, refusal, more, kind) => {
    const card = { canary: null, refusals: [{ ...harm, ...refusal }] }
    for (const list of ['dead', 'gone', 'left']) {
      const died = { [list]: [reading('old', card, more)] }
      expect(ask({ fleet: fleet(three, died) })).toMatchObject({ kind })
    }
  })

  test('a refusal that an older runtime told in an earlier step of this rollout counts', () => {
    const card = { ...good, refusals: [harm] }
    const dead = [reading('old', card, { version: 6 })]
    expect(ask({ fleet: fleet(three, { dead }) })).toMatchObject({ kind: 'abort' })
  })

  test('a refusal of another rollout by an instance that lags is none of this', () => {
    const late = { canary: null, refusals: [{ ...harm, salt: 'another-salt' }] }
    const live = [...three, reading('late', late, { version: 6 })]
    expect(ask({ fleet: fleet(live) })).toMatchObject({ kind: 'step' })
  })

  test('a fleet finds out what no instance could alone', () => {
    const worse = measured(side(300, 1), side(30, 6))
    const many = Array.from({ length: 20 }, (_, index) => reading(`i${index}`, worse))
    expect(ask({ fleet: fleet(many.slice(0, 1)) })).not.toMatchObject({ kind: 'abort' })
    expect(ask({ fleet: fleet(many) })).toMatchObject({ kind: 'abort', verdict: 'failed' })
  })

  test('its policy says what is worse, and how many calls it takes to tell', () => {
    const worse = fleetOf(20, measured(side(300, 1), side(30, 6)))
    const analysis = { ...defaultAnalysisLimits, errorRise: 0.4 }
    expect(ask({ fleet: worse })).toMatchObject({ kind: 'abort' })
    expect(ask({ fleet: worse }, { analysis })).toMatchObject({ kind: 'step' })
    const many = { ...analysis, minimumCalls: 601 }
    expect(ask({ fleet: worse }, { analysis: many })?.text).toContain('600 of the 601 calls')
  })

  test('an outage that both sides meet is not the fault of the canary', () => {
    const outage = measured(side(900, 450), side(100, 52))
    expect(ask({ fleet: fleet([reading('one', outage)]) })).not.toMatchObject({ kind: 'abort' })
  })

  test('a metric above its bound stops the canary, without waiting for the bake', () => {
    const metric = { status: 'value', value: 2 } as const
    expect(ask({ metric, stepBegan: now }, asking())).toMatchObject({ kind: 'abort' })
  })

  test('no freeze, approval, hold, bake, missing metric or silent fleet is in the way (serverless-application-model#716, argo-rollouts#2939, argo-rollouts#3669)', () => {
    const inTheWay = {
      ...canary,
      ...asking(),
      freeze: [window()],
      steps: [wanting(), wanting()],
      callsBefore: 10_000,
    }
    const state = serving('a', { rollout: inTheWay, hold: hold() })
    const metric = { status: 'failed', message: 'away' } as const
    const silent = fleet([reading('one', bad)], { dead: three.slice(1) })
    const decision = ask({ state, metric, fleet: silent, stepBegan: now })
    expect(decision).toMatchObject({ kind: 'abort', verdict: 'failed' })
  })

  test('what a store or a busy machine may be to blame for is no harm', () => {
    const late = { refusals: [{ ...harm, code: 'OBJECT_MISSING' }], canary: null }
    const decision = ask({ fleet: fleet([reading('one', late), reading('two', good)]) })
    expect(decision).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
  })

  test('harm that another release does says nothing of this one', () => {
    const other = { ...good, refusals: [{ ...harm, release: ref('z').release }] }
    expect(ask({ fleet: fleet([reading('one', other)]) })).toMatchObject({ kind: 'step' })
  })
})

describe('probes', () => {
  test('let a function that nobody calls pass', () => {
    const { stable: ours, canary: theirs } = probed(0)
    const quiet = fleet([
      reading('one', measured(ours, theirs)),
      reading('two', measured(ours, theirs)),
      reading('three', measured(ours, theirs)),
    ])
    expect(ask({ fleet: quiet })).toMatchObject({
      kind: 'step',
      evidence: { canary: { calls: 0, probes: { calls: 180, faults: 0 } } },
    })
    const step = { weightPercent: 20, callsBefore: 30 }
    const since = fleetOf(3, inStep(measured(ours, theirs), step))
    expect(ask({ fleet: since })).toMatchObject({ kind: 'hold' })
  })

  test('that trip a breaker stop a canary that no user called', () => {
    const { stable: ours, canary: theirs } = probed(20)
    const card = measured(ours, theirs, tripOn(ours, theirs))
    const decision = ask({ fleet: fleet([reading('one', card)]) })
    expect(decision).toMatchObject({ kind: 'abort', verdict: 'failed' })
    expect(decision?.text).toContain('20 of 60 probes failed, of stable 0 of 60')
  })

  test('are compared among themselves', () => {
    const calls = 500
    const worse = [reading('one', measured(probed(0, calls).stable, probed(300, calls).canary))]
    expect(ask({ fleet: fleet(worse) })).toMatchObject({ kind: 'abort' })
    const fails = { probes: { calls, faults: calls } }
    const both = measured({ ...side(9_000), ...fails }, { ...side(500), ...fails })
    expect(ask({ fleet: fleet([reading('one', both)]) })).toMatchObject({ kind: 'step' })
  })

  test.each([
    ['fail more often than they are made', { calls: 5, faults: 6 }, 'more bad calls'],
    ['grow fewer', { calls: 4, faults: 0 }, 'fewer calls'],
  ])('that %s are not believed', (_, probes, why) => {
    const forged = reading('forged', measured(side(900, 1), { ...side(200), probes }))
    const honest = measured(side(900, 1), { ...side(200), probes: { calls: 5, faults: 0 } })
    const decision = ask({
      fleet: fleet([...three, forged]),
      before: new Map([['forged', reading('forged', honest)]]),
    })
    expect(decision?.refused).toMatchObject([{ instance: 'forged' }])
    expect(decision?.refused[0]?.why).toContain(why)
  })
})

describe('reports that are not believed', () => {
  const replayed = measured(side(100), side(50))
  test.each([
    ['more failures than calls', measured(side(9, 10), side(200)), 'more bad calls of stable'],
    ['more calls than a process answers', measured(side(900, 1), side(1e12)), 'calls of canary in'],
    ['a trip on too little', tripped(side(90), side(2, 2)), 'tripped on 2 bad calls'],
    ['a trip while stable does no better', tripped(side(90, 90), side(10, 10)), 'no better'],
    ['a trip on more than was counted', tripped(side(90), side(400, 400)), 'than it counts'],
    ['a trip without stable', tripped(side(0), side(9, 9)), 'without calls of both'],
    [
      'more calls before the step than at all',
      inStep(good, { weightPercent: 20, callsBefore: 201 }),
      'fewer calls of canary than before its step',
    ],
    ['counts that fall', replayed, 'fewer calls of stable than before'],
  ])('%s: %#', (_, card, why) => {
    const forged = reading('forged', card)
    const decision = ask({
      fleet: fleet([...three, forged]),
      before: new Map([['forged', reading('forged', good)]]),
    })
    expect(decision).toMatchObject({ kind: 'step', evidence: { live: 3, refused: 1 } })
    expect(decision?.refused[0]?.why).toContain(why)
  })

  test('a trip of another rollout of the same canary is none of this', () => {
    const earlier = reading('one', salted('another-salt'))
    expect(ask({ fleet: fleet([...three.slice(1), earlier]) })).toMatchObject({ kind: 'step' })
    expect(ask({ fleet: fleet([reading('one', salted('earlier-salt'))]) })).toMatchObject({
      kind: 'abort',
    })
  })
})

describe('the word of a single instance moves nothing forward', () => {
  const few = measured(side(300), side(25))

  test.each([
    ['calls', fleetOf(3, few), measured(side(2_000), side(300)), '75 of the 100 calls'],
    [
      'calls, as one that does not run the step',
      fleetOf(3, few),
      { ...measured(side(2_000), side(300)), canary: null },
      '75 of the 100 calls',
    ],
    [
      'failures of stable',
      fleetOf(3, measured(side(900), side(60, 2))),
      measured(side(60_000, 50_000), side(0)),
      'over its limits, by what may be chance (3.33 % failed, stable 0 %',
    ],
    [
      'a majority',
      fleet([
        ...fleetOf(2, measured(side(900), side(100))).live,
        reading('late-1', {}, { version: 6 }),
        reading('late-2', {}, { version: 6 }),
      ]),
      measured(side(900), side(100)),
      'it runs on 2 of 4 instances, which is no majority',
    ],
    [
      'one more that reports, where half fell silent',
      fleet(fleetOf(2, good).live, { gone: [reading('gone-1', good), reading('gone-2', good)] }),
      good,
      '2 instances that ran it fell silent without stopping in order, 2 still report',
    ],
  ])('that claims %s', (_, honest, claim, doubt) => {
    const alone = ask({ fleet: honest })
    expect(alone).toMatchObject({ kind: 'hold' })
    expect(alone?.text).toContain(doubt)
    const stranger = reading('stranger', claim)
    const decision = ask({ fleet: { ...honest, live: [...honest.live, stranger] } })
    expect(decision).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
    expect(decision?.text).toMatch(/by the word of .*stranger.* alone\. Without .*: /)
    expect(decision?.text).toContain(doubt)
    expect(decision?.text).toContain('delete environments/production/instances/')
  })

  test('nor in a later step, whatever it said in the one before', () => {
    const honest = inStep(measured(side(9_000), side(500)), { weightPercent: 20, callsBefore: 480 })
    const claim = measured(side(9_000), side(1_000))
    for (const stranger of [
      claim,
      inStep(claim, { weightPercent: 20, callsBefore: 0 }),
      inStep(claim, { weightPercent: 20, callsBefore: 700 }),
    ]) {
      const said = fleet([...fleetOf(3, honest).live, reading('stranger', stranger)])
      const decision = ask({ fleet: said }, { callsBefore: 480 })
      expect(decision).toMatchObject({ kind: 'hold', verdict: 'inconclusive' })
      expect(decision?.text).toContain(
        'the word of stranger alone. Without stranger: 60 of the 100 calls',
      )
    }
  })

  test('but stops it, and one that others bear out is not in the way', () => {
    const honest = fleetOf(3, good).live
    expect(ask({ fleet: fleet([...honest, reading('stranger', bad)]) })).toMatchObject({
      kind: 'abort',
    })
    const loud = reading('loud', measured(side(60_000), side(5_000)))
    expect(ask({ fleet: fleet([...honest, loud]) })).toMatchObject({ kind: 'step' })
  })
})

describe('a stable right after its promotion', () => {
  const harmed = { refusals: [{ ...harm, code: 'FUNCTION_CRASHED', release: ref('a').release }] }

  test('goes back when it harms within its window', () => {
    expect(stable(harmed, until(minute))).toMatchObject({ kind: 'rollback', verdict: 'failed' })
  })

  test.each([
    ['its window is over', until(-1), 'window is over'],
    ['it never had one', {}, 'window is over'],
    ['a person holds it', { ...until(minute), hold: hold() }, 'Ann holds it'],
    ['nothing earlier is kept', { ...until(minute), previous: [] }, 'nothing earlier'],
  ])('raises an alarm only when %s', (_, more, text) => {
    const decision = stable(harmed, more)
    expect(decision).toMatchObject({ kind: 'hold', verdict: 'failed' })
    expect(decision?.text).toContain(text)
  })

  const failure = {
    stable: ref('a').release,
    at: '2026-11-22T09:59:00.000Z',
    calls: 60,
    faults: 30,
    usualShare: 0.01,
    evidence: 30_000,
  }
  const evaded = { ...failure, successor: ref('p').release }

  test('follows the instance that went back by itself, though its clock closes the window later', () => {
    for (const offsetMs of [minute, -minute]) {
      const decision = stable({ stableTrip: evaded }, until(offsetMs))
      expect(decision).toMatchObject({ kind: 'rollback', verdict: 'failed' })
      expect(decision?.text).toContain('30 of 60 calls failed, where 1 % were usual')
    }
    expect(stable({ stableTrip: evaded }, until(-10 * minute))).toMatchObject({ kind: 'hold' })
  })

  test('that fails later is an alarm', () => {
    const decision = stable({ stableFailure: failure }, until(-minute))
    expect(decision).toMatchObject({ kind: 'hold', verdict: 'failed' })
  })

  test.each([
    ['two failures', { faults: 2 }, 'for 2 failures'],
    ['a usual share', { usualShare: 0.5 }, 'as often as usual'],
    ['more failures than calls', { faults: 61 }, 'more failures of stable than calls'],
  ])('is not given up for %s', (_, more, why) => {
    const decision = stable({ stableTrip: { ...evaded, ...more } }, until(minute))
    expect(decision).toMatchObject({ kind: 'wait' })
    expect(decision?.refused[0]?.why).toContain(why)
  })

  test('that another release was given up for is not meant', () => {
    const other = { ...evaded, stable: ref('z').release }
    expect(stable({ stableTrip: other }, until(minute))).toMatchObject({ kind: 'wait' })
  })

  test.each([
    ['refused it', harmed],
    ['went back from it', { stableTrip: evaded }],
  ])('is not taken for what it did when it served earlier, by one that died and %s', (_, card) => {
    const window = { ...until(minute), rollbackSinceVersion: 7 }
    const state = serving('a', { previous: [ref('p')], ...window })
    const died = (version: number) => fleet([], { dead: [reading('one', card, { version })] })
    expect(ask({ state, fleet: died(7) })).toMatchObject({ kind: 'rollback' })
    expect(ask({ state, fleet: died(6) })).toMatchObject({ kind: 'wait' })
    // One that is there says what is.
    const late = fleet([reading('one', card, { version: 6 })])
    expect(ask({ state, fleet: late })).toMatchObject({ kind: 'rollback' })
  })

  test('raises no alarm for what only instances say that are gone', () => {
    const gone = [reading('one', { stableFailure: failure })]
    const state = serving('a', { previous: [ref('p')], ...until(-minute) })
    expect(ask({ state, fleet: fleet([], { gone }) })).toBeNull()
  })

  test('is watched while its window is open, and then forgotten', () => {
    expect(stable({}, until(minute))).toMatchObject({ kind: 'wait', verdict: 'running' })
    expect(stable({}, until(-1))).toBeNull()
  })
})

/** So many live instances that all say the same. */
function fleetOf(count: number, card: Partial<ReportedFunction>) {
  return fleet(Array.from({ length: count }, (_, index) => reading(`bff-${index + 1}`, card)))
}

/** Three instances that counted so many calls each before the step of this weight. */
function askAfter(callsBefore: number, weightPercent = 20) {
  return ask({ fleet: fleetOf(3, inStep(good, { weightPercent, callsBefore })) })
}

/** The same, with where its calls of the step begin. */
function inStep(card: Partial<ReportedFunction>, step: ReportedStep): Partial<ReportedFunction> {
  const { rollout: own } = card
  return own === undefined ? card : { ...card, rollout: { ...own, step } }
}

function tripped(stable: ReturnType<typeof side>, canarySide: ReturnType<typeof side>) {
  return measured(side(900, 90), side(300, 300), tripOn(stable, canarySide))
}

function window() {
  const days = ['sun']
  return { days, from: '09:00', to: '24:00', timeZone: 'UTC', reason: 'Black Friday' }
}

function wanting() {
  return { weightPercent: 100, bakeMs: 0, approval: true }
}

function asking(): Partial<Rollout> {
  return { prometheus: { query: 'errors', max: 1 } }
}

/** The bad report, of the rollout with this salt. */
function salted(salt: string) {
  const { rollout: own } = bad
  return own === undefined ? {} : { rollout: { ...own, salt } }
}

function until(offsetMs: number) {
  return { rollbackUntil: new Date(now + offsetMs).toISOString() }
}

/** No rollout, and an instance that reports this of `shop/card`. */
function stable(card: object, more: object) {
  return ask({
    state: serving('a', { previous: [ref('p')], ...more }),
    fleet: fleet([reading('one', card)]),
  })
}

/** Hardly any user, and probes of which so many fail on the canary. */
function probed(faults: number, calls = 60) {
  return {
    stable: { ...side(2), probes: { calls, faults: 0 } },
    canary: { ...side(0), probes: { calls, faults } },
  }
}
