import { RuntimeError } from '@needle-faas/runtime/store'
import type { EnvironmentState } from './environment-state.ts'
import type { ReportReading } from './instance-reports.ts'

/**
 * Tells an environment of which the manifests are gone from one that nothing was published to: of the
 * first somebody has seen one.
 *
 * @param seenVersion - Of the newest manifest that was seen at another time; null when none was.
 * @throws RuntimeError `MANIFEST_MISSING` when they are gone
 */
export function assertNotLost(
  { environment, newest }: Pick<EnvironmentState, 'environment' | 'newest'>,
  readings: readonly ReportReading[],
  seenVersion: number | null = null,
): void {
  if (newest !== null) return
  const running = readings.find(({ report }) => report.manifest !== null)
  const version = running?.report.manifest?.version
  if (version === undefined && seenVersion === null) return
  const witness =
    version === undefined
      ? `version ${seenVersion} was seen there`
      : `${running?.instance} runs version ${version}`
  throw new RuntimeError(
    'MANIFEST_MISSING',
    `Neither manifest.json nor a history of ${environment} is in the store, although ${witness}. Is it the right store? Put both back from a backup, or void what was signed (needle keys rotate --raise-epoch) and publish: without that instances refuse a version 1`,
  )
}
