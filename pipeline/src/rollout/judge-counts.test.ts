import { digestOf, type ReportedRollout, type ReportedSide } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import { side } from './testing/fleet-samples.ts'
import { findImplausible } from './judge-counts.ts'

const began = '2026-11-22T09:00:00.000Z'
const report = { startedAt: began, reportedAt: '2026-11-22T10:00:00.000Z' }

function rollout(stable: ReportedSide, since = began): ReportedRollout {
  const measured = { stable, canary: side(1) }
  return { canary: digestOf('b'), salt: 'salt-salt', since, measured, trip: null }
}

test.each([
  ['calls', side(99), 'fewer calls of stable'],
  ['failures', side(101, 4), 'fewer calls of stable'],
])('counts of one process that lose %s', (_, stable, why) => {
  const found = findImplausible(rollout(stable), { report, before: rollout(side(100, 5)) })
  expect(found).toContain(why)
})

test('counts that are as they were are plausible', () => {
  const same = rollout(side(100, 5))
  expect(findImplausible(same, { report, before: same })).toBeNull()
})

test('a process that began anew counts anew', () => {
  const again = rollout(side(1), '2026-11-22T09:50:00.000Z')
  expect(findImplausible(again, { report, before: rollout(side(100, 5)) })).toBeNull()
})

test('a clock that was set back makes counts no more plausible than the first second', () => {
  const early = { report: { ...report, reportedAt: '2026-11-22T08:00:00.000Z' }, before: null }
  expect(findImplausible(rollout(side(100_000)), early)).toBeNull()
  expect(findImplausible(rollout(side(100_001)), early)).toContain('calls of stable in 0 s')
})

test('a clock that was set back makes no count implausible where the report tells its uptime', () => {
  const up = { ...report, reportedAt: '2026-11-22T08:00:00.000Z', uptimeMs: 60_000 }
  expect(findImplausible(rollout(side(6_100_000)), { report: up, before: null })).toBeNull()
  const found = findImplausible(rollout(side(6_100_001)), { report: up, before: null })
  expect(found).toContain('calls of stable in 60 s')
})
