import type { InstanceReport } from '@needle-faas/runtime/manifest'

/** When a report was written, by the clocks of its instance. */
export type ReportTime = Pick<InstanceReport, 'startedAt' | 'reportedAt' | 'uptimeMs'>

/**
 * Whether the same process wrote `report` before `newer`: by its uptime, or by its wall clock, which
 * may have been set back meanwhile, where one of them is of an older runtime that tells none.
 */
export function isWrittenBefore(report: ReportTime, newer: ReportTime): boolean {
  if (report.startedAt !== newer.startedAt) return false
  return report.uptimeMs === undefined || newer.uptimeMs === undefined
    ? Date.parse(report.reportedAt) < Date.parse(newer.reportedAt)
    : report.uptimeMs < newer.uptimeMs
}

/**
 * How many milliseconds there can be at most from a time by the wall clock of an instance to its
 * report, wherever in between the clock was set back; never less than none.
 */
export function longestSince(time: string, report: ReportTime): number {
  const { startedAt, reportedAt, uptimeMs = 0 } = report
  // Told before the clock was set back, it is as old as the clock would say that nobody had set.
  const until = Math.max(Date.parse(reportedAt), Date.parse(startedAt) + uptimeMs)
  return Math.max(0, until - Date.parse(time))
}
