import { expect, it } from 'vitest'
import { chooseProbe } from './choose-probe.ts'

const quiet = (name: string, more = {}) => ({
  function: name,
  probes: 2,
  calls: 0,
  minimumCalls: 100,
  ...more,
})

it.each([
  ['nobody when there is nobody', [], {}, null],
  ['the first when all are new', [quiet('a'), quiet('b')], {}, { function: 'a', probe: 0 }],
  [
    'the one that was probed least',
    [quiet('a'), quiet('b')],
    { a: 2, b: 1 },
    { function: 'b', probe: 1 },
  ],
  ['its example calls in turn', [quiet('a')], { a: 2 }, { function: 'a', probe: 0 }],
  [
    'nobody whom users call enough',
    [quiet('a', { calls: 100 }), quiet('b', { calls: 99 })],
    { b: 7 },
    { function: 'b', probe: 1 },
  ],
  ['nobody when all are called enough', [quiet('a', { calls: 101 })], {}, null],
])('chooses %s', (_title, candidates, rounds, choice) => {
  expect(chooseProbe(candidates, new Map(Object.entries(rounds)))).toEqual(choice)
})
