import { expect, it } from 'vitest'
import { createStableJudge } from './stable-judge.ts'

const bad = { calls: 1, bad: 1 }
const unknown = { calls: 0, bad: 0 }

/** On a stable that fails at every tenth call. */
function verdictAfter(before: { readonly calls: number; readonly bad: number }) {
  const judge = createStableJudge(before)
  for (let call = 1; call <= 5000; call++) {
    const verdict = judge.add({ calls: 1, bad: call % 10 === 0 ? 1 : 0 })
    if (verdict !== null) return verdict
  }
  return null
}

it('tells once, and on what evidence, that stable fails more often than was usual', () => {
  const judge = createStableJudge(unknown)
  const verdicts = Array.from({ length: 10 }, () => judge.add(bad)).filter((each) => each !== null)
  expect(verdicts).toHaveLength(1)
  expect(verdicts[0]).toMatchObject({ calls: verdicts[0]?.faults, usualShare: 0.001 })
  expect(verdicts[0]?.evidence).toBeGreaterThanOrEqual(1e4)
})

it('does not mind what was as bad before', () => {
  expect(verdictAfter({ calls: 10_000, bad: 1000 })).toBeNull()
  expect(verdictAfter({ calls: 10_000, bad: 5 })).not.toBeNull()
  expect(verdictAfter({ calls: 10, bad: 10 })).toBeNull()
})
