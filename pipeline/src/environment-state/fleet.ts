import type { InstanceReport, Manifest, ReportedRefusal } from '@needle-faas/runtime/manifest'

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
 * @param now - Epoch milliseconds; instances are told from their own `reportedAt`.
 */
export function toFleet(
  manifest: Pick<Manifest, 'epoch' | 'version'>,
  reports: readonly InstanceReport[],
  now: number,
): readonly FleetInstance[] {
  return reports
    .filter((report) => report.stopped !== true && silenceMs(report, now) <= goneAfterMs)
    .map((report): FleetInstance => ({
      instance: report.instance,
      state:
        silenceMs(report, now) > silentAfterMs
          ? 'silent'
          : runs(report, manifest)
            ? 'current'
            : 'lagging',
      version: report.manifest?.version ?? null,
      reportedAt: report.reportedAt,
      frozen: report.frozen,
      refusals: refusalsOf(report),
    }))
}

function silenceMs({ reportedAt }: InstanceReport, now: number): number {
  return now - Date.parse(reportedAt)
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
