import { expect, it } from 'vitest'
import { digestOf } from '../manifest/digest.ts'
import {
  beginWork,
  chargeCrash,
  condemnedOf,
  crashRecordSchema,
  emptyCrashRecord,
  endWork,
  keepWanted,
  setProven,
  type WorkKind,
} from './crash-suspects.ts'

const [a, b] = [digestOf('a'), digestOf('b')]
const begun = (record = emptyCrashRecord, kind: WorkKind = 'call', release = a) =>
  beginWork(record, release, { function: 'shop/card', kind })
const crashedAt = (kind: WorkKind, record = emptyCrashRecord) => chargeCrash(begun(record, kind))

it('condemns what was at work at two ends of the process, and nobody else', () => {
  const once = crashedAt('call')
  expect(condemnedOf(once).size).toBe(0)
  const twice = crashedAt('call', endWork(begun(once, 'call', b), b, 'call'))
  expect([...condemnedOf(twice)]).toMatchObject([[a, { function: 'shop/card' }]])
})

it('charges nobody who had come to an end', () => {
  const idle = endWork(begun(), a, 'call')
  expect(chargeCrash(idle)).toEqual(emptyCrashRecord)
})

it('forgives crashes during loads once one came to its end, but not crashes during calls', () => {
  const load = endWork(begun(crashedAt('load'), 'load'), a, 'load')
  expect(condemnedOf(crashedAt('load', load)).size).toBe(0)
  const call = endWork(begun(crashedAt('call'), 'call'), a, 'call')
  expect(condemnedOf(crashedAt('call', call)).size).toBe(1)
})

it('adds no crash of a load to one of a call', () => {
  expect(condemnedOf(crashedAt('load', crashedAt('call'))).size).toBe(0)
})

it('acquits what has proven itself', () => {
  const record = setProven(begun(crashedAt('call')), a)
  expect(record).toEqual({ suspects: {}, proven: [a] })
  expect(endWork(record, a, 'call')).toBe(record)
})

it('forgets what nobody wants, and is the same record when that is nothing', () => {
  const record = setProven(crashedAt('call'), b)
  expect(keepWanted(record, new Set([a, b]))).toBe(record)
  expect(keepWanted(record, new Set([b]))).toEqual({ suspects: {}, proven: [b] })
  expect(keepWanted(record, new Set())).toEqual(emptyCrashRecord)
})

it('survives the way to disk and back', () => {
  const record = setProven(begun(crashedAt('load')), b)
  expect(crashRecordSchema.parse(JSON.parse(JSON.stringify(record)))).toEqual(record)
})
