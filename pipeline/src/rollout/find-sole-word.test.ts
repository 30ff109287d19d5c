import type { ReportedFunction, ReportedRollout, Rollout } from '@needle-faas/runtime/manifest'
import {
  array,
  assert,
  constant,
  constantFrom,
  integer,
  option,
  property,
  record,
} from 'fast-check'
import { expect, test } from 'vitest'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import { rollout as rolloutOf } from '../plan/testing/plan-samples.ts'
import { type Doubt, findDoubt } from './find-doubt.ts'
import { findSoleWord, type SoleWord } from './find-sole-word.ts'
import { poolReports } from './pool-reports.ts'
import { fleet, measured, reading } from './testing/fleet-samples.ts'
import { testimonyOf } from './testimony.ts'

const rollout: Rollout = { ...rolloutOf('b'), sinceVersion: 7, callsBefore: 50 }

/** What these instances leave of doubt, and on whose word the canary would go on. */
function judge(live: readonly ReportReading[], gone: readonly ReportReading[]) {
  const { release } = rollout.canary
  const watched = { function: 'shop/card', release, salt: rollout.salt, epoch: 1, sinceVersion: 7 }
  const pool = poolReports(watched, fleet(live, { gone }), new Map())
  const all = testimonyOf(pool, rollout)
  const doubt: Doubt | null = findDoubt(all, rollout)
  const sole: SoleWord | null = doubt === null ? findSoleWord(pool, all, rollout) : null
  return { doubt, sole }
}

const bad = integer({ min: 0, max: 2 })
const counts = record({
  calls: integer({ min: 6, max: 150 }),
  faults: bad,
  slow: bad,
  probes: option(record({ calls: constant(40), faults: bad }), { nil: undefined }),
})

const card = record({
  stable: counts,
  canary: counts,
  step: option(
    record({ weightPercent: constantFrom(10, 20), callsBefore: integer({ min: 0, max: 6 }) }),
    { nil: undefined },
  ),
  isLate: constantFrom(false, false, false, true),
}).map(({ stable, canary, step, isLate }): Partial<ReportedFunction> => {
  const own = measured(stable, canary).rollout
  return own === undefined ? {} : sayingOf({ ...own, step }, isLate)
})

function sayingOf(rollout: ReportedRollout, isLate: boolean): Partial<ReportedFunction> {
  return isLate ? { rollout, canary: null } : { rollout }
}

const instances = (prefix: string, size: { minLength: number; maxLength: number }) =>
  array(card, size).map((cards) => cards.map((each, at) => reading(`${prefix}-${at}`, each)))

test('whatever one more instance says, a canary that the others leave in doubt does not go on', () => {
  const seen = { borneOut: 0, kept: 0 }
  assert(
    property(
      instances('bff', { minLength: 1, maxLength: 6 }),
      instances('gone', { minLength: 0, maxLength: 3 }),
      card,
      (honest, gone, claim) => {
        const alone = judge(honest, gone)
        const { doubt, sole } = judge([...honest, reading('stranger', claim)], gone)
        const goesOn = doubt === null && sole === null
        if (goesOn) seen.borneOut++
        else if (sole !== null && alone.doubt !== null) seen.kept++
        expect(goesOn && alone.doubt !== null).toBe(false)
      },
    ),
    { numRuns: 2_000, seed: 4 },
  )
  // Of both there were many, or nothing was shown.
  expect(Math.min(seen.borneOut, seen.kept)).toBeGreaterThan(100)
})

test('what is left without one is what the others say when it never was', () => {
  assert(
    property(
      instances('bff', { minLength: 2, maxLength: 6 }),
      instances('gone', { minLength: 0, maxLength: 3 }),
      (live, gone) => {
        const { doubt, sole } = judge(live, gone)
        if (doubt !== null) return
        const doubtful = live.filter(
          (one) =>
            judge(
              live.filter((other) => other !== one),
              gone,
            ).doubt !== null,
        )
        expect(sole?.instances ?? []).toEqual(doubtful.map(({ instance }) => instance))
      },
    ),
    { numRuns: 2_000, seed: 4 },
  )
})
