import { type InstanceReport, objectKey } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, createMemoryStore } from '@needle-faas/runtime/store'
import { beforeEach, expect, test, vi } from 'vitest'
import { testReport } from '../../../runtime/src/manifest/testing/test-reports.ts'
import { type KnownReports, readReportReadings } from './instance-reports.ts'
import type { EnvironmentAccess } from './read-environment.ts'

const key = objectKey.instance('production', 'bff-1')
const report = testReport('bff-1')

let store: ArtifactStore
let reads: string[]
let access: EnvironmentAccess
let known: KnownReports

beforeEach(() => {
  const inner = createMemoryStore()
  reads = []
  known = new Map()
  store = {
    ...inner,
    get: (asked, options) => {
      reads.push(asked)
      return inner.get(asked, options)
    },
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of it that is used
  access = { store, environment: 'production' } as EnvironmentAccess
  return () => vi.restoreAllMocks()
})

const write = (state: InstanceReport['state']) =>
  store.put(key, Buffer.from(JSON.stringify({ ...report, state })))
const read = async () =>
  (await readReportReadings(access, known)).map((reading) => reading.report.state)

test('a report that lies as it lay is not fetched again, once nothing can hide behind its time', async () => {
  const clock = vi.spyOn(performance, 'now')
  await write('starting')
  for (const now of [10_000, 11_000, 12_500, 13_000, 20_000]) {
    clock.mockReturnValue(now)
    expect(await read()).toEqual(['starting'])
  }
  // The third, more than two seconds after it was first seen, is the last.
  expect(reads).toEqual([key, key, key])
})

test('one that was written again is', async () => {
  const clock = vi.spyOn(performance, 'now')
  await write('starting')
  for (const now of [10_000, 13_000, 14_000]) {
    clock.mockReturnValue(now)
    await read()
  }
  const before = Date.now()
  while (Date.now() === before);
  await write('ready')
  expect(await read()).toEqual(['ready'])
})

test('one that is gone is forgotten', async () => {
  await write('ready')
  await read()
  await store.delete(key)
  expect(await read()).toEqual([])
  expect(known.size).toBe(0)
})
