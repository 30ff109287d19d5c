import type { InstanceReport } from '@needle-faas/runtime/manifest'
import { expect, test } from 'vitest'
import {
  testReport,
  testReportedFunction,
} from '../../../runtime/src/manifest/testing/test-reports.ts'
import { toFleet } from './fleet.ts'
import type { ReportReading } from './instance-reports.ts'

const now = Date.parse('2026-11-25T12:00:00Z')
const manifest = { epoch: 1, version: 7 }

function report(
  instance: string,
  { version = 7, epoch = 1, ageMs = 0, ...more }: ReportOptions = {},
): ReportReading {
  const report = testReport(instance, {
    reportedAt: new Date(now).toISOString(),
    manifest: {
      epoch,
      version,
      digest: `sha256:${'0'.repeat(64)}`,
      commit: null,
      activatedAt: '2026-11-25T11:00:00Z',
      lagMs: 900,
    },
    ...more,
  })
  return { instance, modifiedAt: now - ageMs, report }
}

type ReportOptions = Partial<InstanceReport> & {
  readonly version?: number
  readonly epoch?: number
  readonly ageMs?: number
}

test.each([
  ['runs the manifest', {}, 'current'],
  ['runs a newer one, written meanwhile', { version: 8 }, 'current'],
  ['runs a lower version of a newer epoch', { epoch: 2, version: 1 }, 'current'],
  ['runs an older one', { version: 6 }, 'lagging'],
  ['runs a higher version of an epoch that is over', { epoch: 0, version: 99 }, 'lagging'],
  ['runs none yet', { manifest: null }, 'lagging'],
  ['runs it, by a clock ten minutes behind', { reportedAt: '2026-11-25T11:50:00Z' }, 'current'],
  [
    'died four minutes ago, by a clock ten minutes ahead',
    { reportedAt: '2026-11-25T12:06:00Z', ageMs: 4 * 60_000 },
    'silent',
  ],
  ['ran it, and has been silent for four minutes', { ageMs: 4 * 60_000 }, 'silent'],
] as const)('an instance that %s', (_, options, state) => {
  expect(toFleet(manifest, [report('a', options)], now)).toMatchObject([{ instance: 'a', state }])
})

test('instances that were stopped in order, and those long dead, are no part of the fleet', () => {
  const reports = [
    report('stopped', { version: 6, stopped: true }),
    report('dead', { version: 6, ageMs: 61 * 60_000 }),
    report('alive', { version: 6 }),
  ]
  expect(toFleet(manifest, reports, now).map(({ instance }) => instance)).toEqual(['alive'])
})

test('what an instance refuses is told with the function it is about', () => {
  const refusal = { code: 'OBJECT_MISSING', message: 'gone', since: '2026-11-25T11:00:00Z' }
  const [instance] = toFleet(
    manifest,
    [
      report('a', {
        refusal: { ...refusal, code: 'MANIFEST_EXPIRED' },
        functions: {
          'shop/card': testReportedFunction({ refusals: [refusal] }),
        },
      }),
    ],
    now,
  )
  expect(instance?.refusals.map(({ code, function: name }) => [code, name])).toEqual([
    ['MANIFEST_EXPIRED', null],
    ['OBJECT_MISSING', 'shop/card'],
  ])
})
