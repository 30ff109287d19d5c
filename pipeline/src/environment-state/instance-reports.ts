import {
  type InstanceReport,
  instanceReportSchema,
  objectKey,
  sizeLimit,
} from '@needle-faas/runtime/manifest'
import { isRuntimeError, type ListedObject } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import type { EnvironmentAccess } from './read-environment.ts'

/** A report as it lies in the store. */
export interface ReportReading {
  /** By the key it lies under. */
  readonly instance: string
  /** By the clock of the store, epoch milliseconds. */
  readonly modifiedAt: number
  readonly report: InstanceReport
}

/** What was read before, for who reads again and again: reports that lie as they lay are not fetched. */
export type KnownReports = Map<string, KnownReport>

interface KnownReport {
  readonly modifiedAt: number
  /** When this version was first listed here, in `performance.now()` milliseconds. */
  readonly listedAt: number
  readonly readAt: number
  readonly reading: ReportReading | null
}

/** Stores tell the time of a write to the second: a version may hide another of the same second. */
const settledAfterMs = 2000

function isSettled({ listedAt, readAt }: KnownReport): boolean {
  return readAt - listedAt >= settledAfterMs
}

/**
 * What the instances of an environment say about themselves, by name. Reports are unsigned advice:
 * one that is no valid report is left out.
 *
 * @param known brought up to date
 */
export async function readReportReadings(
  { store, environment, signal }: EnvironmentAccess,
  known: KnownReports = new Map(),
): Promise<readonly ReportReading[]> {
  const prefix = objectKey.instancePrefix(environment)
  const listed: ListedObject[] = []
  for await (const object of store.list(prefix, { signal })) listed.push(object)
  const listedAt = performance.now()
  const limit = pLimit(16)
  const readings = await Promise.all(
    listed.toSorted(byKey).map(({ key, modifiedAt }) =>
      limit(async (): Promise<ReportReading | null> => {
        const before = known.get(key)
        const isSame = before?.modifiedAt === modifiedAt
        if (isSame && isSettled(before)) return before.reading
        const maxBytes = sizeLimit.instanceReportBytes
        const found = await store.get(key, { maxBytes, signal }).catch((error: unknown) => {
          if (isRuntimeError(error, 'DOCUMENT_TOO_LARGE')) return null
          throw error
        })
        const report = found?.status === 'found' ? parseReport(found.bytes) : null
        const instance = key.slice(prefix.length, -'.json'.length)
        const reading = report === null ? null : { instance, modifiedAt, report }
        known.set(key, {
          modifiedAt,
          listedAt: isSame ? before.listedAt : listedAt,
          readAt: listedAt,
          reading,
        })
        return reading
      }),
    ),
  )
  const keys = new Set(listed.map(({ key }) => key))
  for (const key of known.keys()) if (!keys.has(key)) known.delete(key)
  return readings.filter((reading) => reading !== null)
}

function byKey(a: ListedObject, b: ListedObject): number {
  return a.key < b.key ? -1 : 1
}

function parseReport(bytes: Uint8Array): InstanceReport | null {
  try {
    const parsed = instanceReportSchema.safeParse(JSON.parse(new TextDecoder().decode(bytes)))
    return parsed.success ? parsed.data : null
  } catch {
    // Not JSON: no report.
    return null
  }
}
