import { expect, it } from 'vitest'
import { digestOf } from '../manifest/digest.ts'
import { type CrashEntry, crashEntrySchema, createCrashRecord } from './crash-record.ts'

const [a, b] = [digestOf('a'), digestOf('b')]
const begin = { change: 'begin', kind: 'call', release: a, function: 'shop/card' } as const
const proven = { change: 'proven', release: b } as const

function recordOf(...entries: readonly CrashEntry[]) {
  const record = createCrashRecord()
  for (const entry of entries) record.apply(entry)
  return record
}

it('survives the way to disk and back, as changes and as a snapshot', () => {
  const entries = [begin, proven, { change: 'end', kind: 'load', release: a }] as const
  const told = [...entries, recordOf(...entries).snapshot()]
  expect(told.map((entry) => crashEntrySchema.parse(JSON.parse(JSON.stringify(entry))))).toEqual(
    told,
  )
  expect(crashEntrySchema.parse({ change: 'closed' })).toEqual({ change: 'closed' })
  const snapshot = recordOf(begin, proven).snapshot()
  expect(recordOf(snapshot).snapshot()).toEqual(snapshot)
})

it('knows who was at work at two crashes, and nobody else', () => {
  const record = recordOf(begin, proven)
  record.chargeCrash(0)
  expect(record.condemned(0).size).toBe(0)
  record.apply(begin)
  record.chargeCrash(0)
  expect([...record.condemned(0)]).toMatchObject([[a, { function: 'shop/card' }]])
})

it('says whether it has been told something new', () => {
  const record = createCrashRecord()
  expect([begin, begin, proven, proven].map((entry) => record.apply(entry))).toEqual([
    true,
    false,
    true,
    false,
  ])
})

it('knows whether the process that told it all has closed', () => {
  const record = recordOf(begin)
  expect(record.isOpen).toBe(false)
  record.apply(record.snapshot())
  expect(record.isOpen).toBe(true)
  record.apply({ change: 'closed' })
  expect(record.isOpen).toBe(false)
  expect(record.suspect(a)).toBe(undefined)
})

const order = (...entries: readonly CrashEntry[]) =>
  Object.keys(recordOf(...entries).snapshot().suspects)

it('lists last who began last', () => {
  const other = { ...begin, release: b }
  const again = [{ ...begin, change: 'end', kind: 'load' }, begin] as const
  expect(order(begin, other)).toEqual([a, b])
  expect(order({ ...begin, kind: 'load' }, other, ...again)).toEqual([b, a])
  expect(order({ ...begin, kind: 'load' }, begin, other, again[0])).toEqual([a, b])
})

it('forgets what nobody wants', () => {
  const record = recordOf(begin, proven)
  expect(record.keepOnly(new Set([a, b]))).toBe(false)
  expect(record.keepOnly(new Set([b]))).toBe(true)
  expect(record.snapshot()).toEqual({ suspects: {}, proven: [b] })
})
