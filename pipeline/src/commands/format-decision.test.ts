import { expect, test } from 'vitest'
import { formatDecision } from './format-decision.ts'

const decided = { function: 'shop/card', kind: 'step', verdict: 'successful', text: 'on to 50 %' }
const head = 'decided: shop/card step successful: on to 50 %'
const side = { calls: 900, faults: 1, slow: 2 }

test.each([
  ['nothing', null, head],
  ['what nobody knows', { karma: 1 }, head],
  [
    'calls of both sides',
    { stable: side, canary: { calls: 100, faults: 0, slow: 3 }, voted: 2, live: 3, metric: 0.4 },
    `${head} · canary 100 calls, 0 failed, 3 slow · stable 900 calls, 1 failed, 2 slow · 2 of 3 instances · Prometheus 0.4`,
  ],
  [
    'probes, where nobody called',
    { canary: { calls: 0, faults: 0, slow: 0, probes: { calls: 180, faults: 4 } } },
    `${head} · canary 0 calls, 0 failed, 0 slow, 180 probes, 4 failed`,
  ],
])('a decision is told with its evidence of %s', (_, evidence, text) => {
  expect(formatDecision({ ...decided, evidence })).toBe(text)
})
