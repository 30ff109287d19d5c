import { expect, it } from 'vitest'
import { digestOf } from '../manifest/digest.ts'
import {
  isCondemned,
  type Standing,
  standingAfter,
  standingAfterCrash,
  type WorkKind,
} from './crash-suspects.ts'

const release = digestOf('a')
const begun = (kind: WorkKind, before?: Standing) =>
  standingAfter(before, { change: 'begin', kind, release, function: 'shop/card' })
const ended = (kind: WorkKind, before: Standing) =>
  standingAfter(before, { change: 'end', kind, release })
const crashedAt = (kind: WorkKind, before?: Standing) => standingAfterCrash(begun(kind, before))
const isTriedAgain = (standing: Standing) =>
  standing === undefined || standing === 'proven' || !isCondemned(standing)

it('condemns what was at work at two ends of the process', () => {
  const once = crashedAt('call')
  expect(isTriedAgain(once)).toBe(true)
  const twice = crashedAt('call', once)
  expect(isTriedAgain(twice)).toBe(false)
  expect(twice).toMatchObject({ function: 'shop/card', atWork: [] })
})

it('charges nobody who had come to an end', () => {
  expect(standingAfterCrash(ended('call', begun('call')))).toBe(undefined)
})

it('forgives crashes during loads once one came to its end, but not crashes during calls', () => {
  const load = ended('load', begun('load', crashedAt('load')))
  expect(isTriedAgain(crashedAt('load', load))).toBe(true)
  const call = ended('call', begun('call', crashedAt('call')))
  expect(isTriedAgain(crashedAt('call', call))).toBe(false)
})

it('adds no crash of a load to one of a call', () => {
  expect(isTriedAgain(crashedAt('load', crashedAt('call')))).toBe(true)
})

it('charges one crash for what was told twice to begin', () => {
  const twice = begun('call', begun('call'))
  expect(standingAfterCrash(twice)).toMatchObject({ crashes: { call: 1 } })
})

it('acquits for good what has proven itself', () => {
  const proven = standingAfter(begun('call', crashedAt('call')), { change: 'proven', release })
  expect(proven).toBe('proven')
  expect(crashedAt('call', ended('call', proven))).toBe('proven')
})
