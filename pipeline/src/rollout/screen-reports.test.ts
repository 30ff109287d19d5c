import { digestOf } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { now } from '../plan/testing/plan-samples.ts'
import { reading } from './testing/fleet-samples.ts'
import { screenReports } from './screen-reports.ts'

const minute = 60_000

function screen(readings: readonly ReportReading[], last?: ReportReading) {
  const fleet = screenReports({
    environment: 'production',
    readings,
    now,
    newestVersion: 7,
    digestOf: (version) => (version === 7 ? digestOf('manifest') : null),
    before: new Map(last && [[last.instance, last]]),
  })
  return {
    live: names(fleet.live),
    dead: names(fleet.dead),
    gone: names(fleet.gone),
    left: names(fleet.left),
    refused: fleet.refused.map(({ instance }) => instance),
  }
}

function names(of: readonly ReportReading[]): string[] {
  return of.map(({ instance }) => instance)
}

const nobody = { live: [], dead: [], gone: [], left: [], refused: [] }

test.each([
  ['of a second ago is live', { ageMs: 1_000 }, { live: ['one'] }],
  ['of the last three minutes is live', { ageMs: 3 * minute }, { live: ['one'] }],
  ['of before is of a dead instance', { ageMs: 3 * minute + 1 }, { dead: ['one'] }],
  ['of the last hour still counts as dead', { ageMs: 60 * minute }, { dead: ['one'] }],
  ['older than that is of one that is gone', { ageMs: 60 * minute + 1 }, { gone: ['one'] }],
  ['of months ago still is', { ageMs: 100_000 * minute }, { gone: ['one'] }],
  [
    'of one stopped in order that long ago is as well',
    { stopped: true, ageMs: 60 * minute + 1 },
    { gone: ['one'] },
  ],
  ['that is refused and that old is forgotten', { version: 8, ageMs: 61 * minute }, {}],
  [
    'of the time to come, by a store of several clocks, is live',
    { ageMs: -minute },
    { live: ['one'] },
  ],
  [
    'of an instance stopped in order is none of a dead one',
    { stopped: true, ageMs: 5 * minute },
    { left: ['one'] },
  ],
  ['of an instance without a manifest yet is live', { manifest: null }, { live: ['one'] }],
  ['of a version that was pruned is live', { version: 3 }, { live: ['one'] }],
  ['of a version that nobody wrote yet is refused', { version: 8 }, { refused: ['one'] }],
])('a report %s', (_, more, expected) => {
  expect(screen([reading('one', {}, more)])).toEqual({ ...nobody, ...expected })
})

/** Of an instance that started at `startedAt`, at this time of the day and so many seconds later. */
function told(time: string, uptimeS?: number, startedAt = '2026-11-22T09:00:00Z'): ReportReading {
  const reportedAt = `2026-11-22T${time}:00Z`
  const uptimeMs = uptimeS === undefined ? undefined : uptimeS * 1000
  return reading('one', {}, { startedAt, reportedAt, uptimeMs })
}

test.each([
  [
    'later by its uptime, after its clock was set back',
    told('10:02', 120),
    told('10:00', 180),
    'live',
  ],
  [
    'earlier by its uptime, whatever its clock says',
    told('10:00', 180),
    told('10:02', 120),
    'refused',
  ],
  ['again what was read', told('10:00', 180), told('10:00', 180), 'live'],
  ['of an older runtime, earlier by its clock', told('10:02'), told('10:00'), 'refused'],
  [
    'earlier by its clock, where only one tells its uptime',
    told('10:02'),
    told('10:00', 180),
    'refused',
  ],
  ['of another process', told('10:02', 120), told('10:00', 1, '2026-11-22T09:59:59Z'), 'live'],
])('a report that is %s', (_, last, next, list) => {
  expect(screen([next], last)).toEqual({ ...nobody, [list]: ['one'] })
})
