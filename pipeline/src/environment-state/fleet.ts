import type { InstanceReport, Manifest, ReportedRefusal } from '@needle-faas/runtime/manifest'
import type { ReportReading } from './instance-reports.ts'

/** An instance that has not reported for this long is silent: they report every minute. */
export const silentAfterMs = 3 * 60 * 1000

/** One that has been silent for this long is taken for gone, and left out. */
export const goneAfterMs = 60 * 60 * 1000

/** How one instance stands to the newest manifest. */
export interface FleetInstance {
  readonly instance: string
  /**
   * `current`: it runs the manifest, or one newer than was asked about. `lagging`: it reports, and
   * runs an older one. `silent`: it has not reported for 3 minutes, so it died without a word or is
   * cut off from the store and serves what it had.
   */
  readonly state: 'current' | 'lagging' | 'silent'
  /** Of the manifest it runs; null before its first. */
  readonly version: number | null
  /** By the clock of the store, ISO 8601. */
  readonly reportedAt: string
  readonly frozen: boolean
  /** What it does not take: manifests, and releases of single functions. */
  readonly refusals: readonly FleetRefusal[]
}

export interface FleetRefusal extends ReportedRefusal {
  /** Null: the manifest as a whole. */
  readonly function: string | null
}

/**
 * Where the instances of an environment are with a manifest, by name. Those that were stopped in
 * order, and those silent for more than an hour, are no part of it.
 *
 * @param now - Epoch milliseconds. The store says when a report was written, so that the clocks of
 *   instances may be as wrong as they like; `needle doctor` compares this machine's with the store's.
 */
export function toFleet(
  manifest: Pick<Manifest, 'epoch' | 'version'>,
  readings: readonly ReportReading[],
  now: number,
): readonly FleetInstance[] {
  return readings
    .filter(({ report, modifiedAt }) => report.stopped !== true && now - modifiedAt <= goneAfterMs)
    .map(({ instance, report, modifiedAt }): FleetInstance => ({
      instance,
      state:
        now - modifiedAt > silentAfterMs
          ? 'silent'
          : runs(report, manifest)
            ? 'current'
            : 'lagging',
      version: report.manifest?.version ?? null,
      reportedAt: new Date(modifiedAt).toISOString(),
      frozen: report.frozen,
      refusals: refusalsOf(report),
    }))
}

function runs(
  { manifest: running }: InstanceReport,
  manifest: Pick<Manifest, 'epoch' | 'version'>,
): boolean {
  if (running === null) return false
  return running.epoch === manifest.epoch
    ? running.version >= manifest.version
    : running.epoch > manifest.epoch
}

function refusalsOf({ refusal, functions }: InstanceReport): readonly FleetRefusal[] {
  return [
    ...(refusal === null ? [] : [{ ...refusal, function: null }]),
    ...Object.entries(functions).flatMap(([name, { refusals }]) =>
      refusals.map((each) => ({ ...each, function: name })),
    ),
  ]
}
