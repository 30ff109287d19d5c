import {
  type InstanceReport,
  instanceReportSchema,
  objectKey,
  sizeLimit,
} from '@needle-faas/runtime/manifest'
import { isRuntimeError } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import type { EnvironmentAccess } from './read-environment.ts'

/**
 * What the instances of an environment say about themselves, by name. Reports are unsigned advice:
 * one that is no valid report is left out.
 */
export async function readInstanceReports({
  store,
  environment,
  signal,
}: EnvironmentAccess): Promise<readonly InstanceReport[]> {
  const keys: string[] = []
  for await (const { key } of store.list(objectKey.instancePrefix(environment), { signal })) {
    keys.push(key)
  }
  const limit = pLimit(16)
  const reports = await Promise.all(
    keys.toSorted().map((key) =>
      limit(async () => {
        const maxBytes = sizeLimit.instanceReportBytes
        const found = await store.get(key, { maxBytes, signal }).catch((error: unknown) => {
          if (isRuntimeError(error, 'DOCUMENT_TOO_LARGE')) return null
          throw error
        })
        return found?.status === 'found' ? parseReport(found.bytes) : null
      }),
    ),
  )
  return reports.filter((report) => report !== null)
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
