import type { FreezeWindow } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import { findFreeze, isDay, isTimeZone } from './freeze.ts'

const window = (more: Partial<FreezeWindow>): FreezeWindow => ({
  days: ['fri'],
  from: '16:00',
  to: '18:00',
  timeZone: 'UTC',
  reason: 'weekend',
  ...more,
})

// 2026-11-27 is a Friday.
test.each([
  ['at its beginning', {}, '2026-11-27T16:00:00Z', true],
  ['a second before it', {}, '2026-11-27T15:59:59Z', false],
  ['in its last second', {}, '2026-11-27T17:59:59Z', true],
  ['at its end', {}, '2026-11-27T18:00:00Z', false],
  ['on another day', {}, '2026-11-26T17:00:00Z', false],
  ['on a Sunday', { days: ['sun'] }, '2026-11-29T17:00:00Z', true],
  ['on its date', { days: ['2026-11-27'] }, '2026-11-27T17:00:00Z', true],
  ['a year after its date', { days: ['2026-11-27'] }, '2027-11-27T17:00:00Z', false],
  ['to midnight', { to: '24:00' }, '2026-11-27T23:59:59Z', true],
  ['past midnight', { to: '24:00' }, '2026-11-28T00:00:00Z', false],
  ['in the night after', { to: '06:00' }, '2026-11-28T05:59:00Z', true],
  ['in the morning after', { to: '06:00' }, '2026-11-28T06:00:00Z', false],
  ['in the night before', { to: '06:00' }, '2026-11-27T05:00:00Z', false],
  ['a whole day from noon to noon', { from: '12:00', to: '12:00' }, '2026-11-28T11:59:00Z', true],
  ['by winter time', { timeZone: 'Europe/Berlin' }, '2026-11-27T15:00:00Z', true],
  ['by summer time', { timeZone: 'Europe/Berlin' }, '2026-07-31T14:00:00Z', true],
  [
    'on the day it is there',
    { timeZone: 'Asia/Tokyo', days: ['sat'] },
    '2026-11-28T08:00:00Z',
    true,
  ],
  [
    'on the day it is there, not here',
    { timeZone: 'Pacific/Auckland', days: ['sat'], from: '00:00' },
    '2026-11-27T12:00:00Z',
    true,
  ],
  ['in a zone nobody knows', { timeZone: 'Europe/Atlantis' }, '2026-11-25T01:00:00Z', true],
] as const)('%s', (_, more, at, isFrozen) => {
  expect(findFreeze([window(more)], Date.parse(at)) !== null).toBe(isFrozen)
})

test('of several windows the one that holds is named', () => {
  const windows = [window({ days: ['mon'] }), window({ reason: 'late' })]
  expect(findFreeze(windows, Date.parse('2026-11-27T17:00:00Z'))?.reason).toBe('late')
  expect(findFreeze([], 0)).toBeNull()
  expect(findFreeze(undefined, 0)).toBeNull()
})

test.each([
  ['mon', true],
  ['2026-11-27', true],
  ['2026-02-30', false],
  ['friday', false],
  ['', false],
])('%s names days: %s', (name, isKnown) => {
  expect(isDay(name)).toBe(isKnown)
})

test.each([
  ['Europe/Berlin', true],
  ['UTC', true],
  ['Mars/Olympus', false],
])('%s is a time zone: %s', (name, isKnown) => {
  expect(isTimeZone(name)).toBe(isKnown)
})
