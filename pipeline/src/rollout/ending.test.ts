import { describe, expect, it } from 'vitest'
import type { RoundOutcome } from './controller.ts'
import type { Decision } from './decision.ts'
import { endingOf, functionsInMotion, isSettled } from './ending.ts'

function decided(name: string, is: Pick<Decision, 'kind' | 'verdict'>): Decision {
  const side = { calls: 0, faults: 0, slow: 0 }
  const evidence = { live: 1, voted: 1, late: 0, dead: 0, refused: 0, stable: side, canary: side }
  return { function: name, ...is, text: '', evidence, refused: [] }
}

function look(decisions: readonly Decision[], more: Partial<RoundOutcome> = {}): RoundOutcome {
  return { decisions, change: null, deferred: 0, takenBack: [], ...more }
}

const bakes = decided('a', { kind: 'wait', verdict: 'running' })
const approval = decided('b', { kind: 'hold', verdict: 'successful' })
const quiet = decided('c', { kind: 'hold', verdict: 'inconclusive' })
const blind = decided('d', { kind: 'hold', verdict: 'error' })
const harmful = decided('e', { kind: 'hold', verdict: 'failed' })

describe('watching', () => {
  it.each([
    ['nothing is decided', look([]), true],
    ['a stable harms that only a person may take back', look([harmful]), true],
    ['a step bakes, or a rollback window is open', look([bakes]), false],
    ['a step wants approval', look([approval]), false],
    ['a canary has too few calls', look([quiet]), false],
    ['moves wait for the next manifest', look([], { deferred: 1 }), false],
  ])('goes on or not when %s', (_when, outcome, settled) => {
    expect(isSettled(outcome)).toBe(settled)
  })

  it('goes on after a look that wrote, since what it wrote may open a rollback window', () => {
    const plan = { draft: null, changes: [], kept: [], refusals: [] }
    const change = { plan, manifest: null, isWritten: true, lostRaces: 0 }
    expect(isSettled(look([], { change }))).toBe(false)
  })
})

describe('the ending', () => {
  it.each([
    ['successful', 'all arrived', look([]), ['a', 'b']],
    ['running', 'all goes well but is not over', look([bakes, approval]), ['a', 'b']],
    ['inconclusive', 'something has too little to tell', look([bakes, quiet]), ['c']],
    ['error', 'something cannot be measured', look([quiet, blind]), ['d']],
    ['failed', 'something is bad and stays', look([blind, harmful]), ['e']],
    ['failed', 'one was taken back meanwhile', look([bakes], { takenBack: ['b'] }), ['b']],
    ['successful', 'one was taken back before', look([], { takenBack: ['z'] }), ['a', 'b']],
  ] as const)('is %s when %s', (verdict, _when, last, functions) => {
    expect(endingOf(last, new Set(['b', 'a']))).toEqual({ verdict, functions })
  })

  it('of a stable that harms and may still go back is in motion', () => {
    const going = decided('f', { kind: 'rollback', verdict: 'failed' })
    expect(functionsInMotion(look([going, harmful]))).toEqual(['f'])
  })
})
