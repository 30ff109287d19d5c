import {
  digestOf,
  type InstanceReport,
  type ReportedFunction,
  type ReportedSide,
  type ReportedTrip,
} from '@needle-faas/runtime/manifest'
import {
  testReport,
  testReportedFunction,
} from '../../../../runtime/src/manifest/testing/test-reports.ts'
import type { ReportReading } from '../../environment-state/instance-reports.ts'
import { now, ref } from '../../plan/testing/plan-samples.ts'
import type { Fleet } from '../screen-reports.ts'

/** Inputs for the tests of decisions: a fleet that runs `shop/card` with the canary of `rollout('b')`. */
export function side(calls: number, faults = 0, slow = 0): ReportedSide {
  return { calls, faults, slow }
}

export function measured(
  stable: ReportedSide,
  canary: ReportedSide,
  trip: ReportedTrip | null = null,
): Partial<ReportedFunction> {
  const since = '2026-11-22T09:00:00.000Z'
  return {
    rollout: {
      canary: ref('b').release,
      salt: 'earlier-salt',
      since,
      measured: { stable, canary },
      trip,
    },
  }
}

export function tripOn(stable: ReportedSide, canary: ReportedSide): ReportedTrip {
  const at = '2026-11-22T09:30:00.000Z'
  return { cause: 'errors', at, stable, canary, slowLimitMs: 50, evidence: 30_000 }
}

/** A report of an instance that runs version 7, the newest. */
export function reading(
  instance: string,
  card: Partial<ReportedFunction> = {},
  more: Partial<InstanceReport> & { readonly ageMs?: number; readonly version?: number } = {},
): ReportReading {
  const { ageMs = 1_000, version = 7, ...report } = more
  return {
    instance,
    modifiedAt: now - ageMs,
    report: testReport(instance, {
      reportedAt: new Date(now - ageMs).toISOString(),
      manifest: {
        epoch: 1,
        version,
        digest: digestOf('manifest'),
        commit: null,
        activatedAt: '2026-11-22T09:00:01.000Z',
        lagMs: 1_000,
      },
      functions: {
        'shop/card': testReportedFunction({
          stable: ref('a').release,
          canary: ref('b').release,
          weightPercent: 20,
          manifestVersion: 7,
          ...card,
        }),
      },
      ...report,
    }),
  }
}

export function fleet(live: readonly ReportReading[], more: Partial<Fleet> = {}): Fleet {
  return { live, dead: [], gone: [], left: [], refused: [], ...more }
}
