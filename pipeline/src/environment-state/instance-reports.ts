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

/** As `readReportReadings`, without what the store knows of them. */
export async function readInstanceReports(
  access: EnvironmentAccess,
): Promise<readonly InstanceReport[]> {
  return (await readReportReadings(access)).map(({ report }) => report)
}

/**
 * What the instances of an environment say about themselves, by name. Reports are unsigned advice:
 * one that is no valid report is left out.
 */
export async function readReportReadings({
  store,
  environment,
  signal,
}: EnvironmentAccess): Promise<readonly ReportReading[]> {
  const prefix = objectKey.instancePrefix(environment)
  const listed: ListedObject[] = []
  for await (const object of store.list(prefix, { signal })) listed.push(object)
  const limit = pLimit(16)
  const readings = await Promise.all(
    listed.toSorted(byKey).map(({ key, modifiedAt }) =>
      limit(async (): Promise<ReportReading | null> => {
        const maxBytes = sizeLimit.instanceReportBytes
        const found = await store.get(key, { maxBytes, signal }).catch((error: unknown) => {
          if (isRuntimeError(error, 'DOCUMENT_TOO_LARGE')) return null
          throw error
        })
        const report = found?.status === 'found' ? parseReport(found.bytes) : null
        if (report === null) return null
        return { instance: key.slice(prefix.length, -'.json'.length), modifiedAt, report }
      }),
    ),
  )
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
