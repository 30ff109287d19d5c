import type { Digest } from '../manifest/digest.ts'
import type { FunctionState, Rollout } from '../manifest/group-document.ts'
import type {
  ReportedRollout,
  ReportedStableFailure,
  ReportedStableTrip,
} from '../manifest/instance-report.ts'
import type { CallMetrics } from '../metrics/call-metrics.ts'
import type { DesiredState } from './desired-state.ts'
import { isLoaded } from './load-ahead.ts'
import type { Refusal } from './refusal.ts'
import type { Serving } from './serving.ts'
import type { Slot } from './slot.ts'
import type {
  Alarm,
  FunctionStatus,
  OverloadStatus,
  RuntimeStatus,
  ProbeStatus,
  RevisionCounts,
  StatusRefusal,
  WatchdogStatus,
} from './status.ts'

/** Epoch milliseconds of the four moments; null before the first of each. */
export interface SyncMoments {
  request: number | null
  success: number | null
  download: number | null
  activation: number | null
}

export interface StatusSources {
  readonly state: RuntimeStatus['state']
  readonly environment: string
  readonly instance: string
  readonly store: string
  readonly groups: readonly string[]
  readonly isFrozen: boolean
  /** Epoch milliseconds. */
  readonly startedAt: number
  readonly moments: SyncMoments
  readonly active: DesiredState | null
  readonly serving: Serving
  readonly refusals: ReadonlyMap<string, readonly Refusal[]>
  readonly watchdog: WatchdogStatus
  readonly overload: OverloadStatus
  readonly refusal: Alarm | null
  readonly alarms: readonly Alarm[]
  readonly rolloutOf: (functionName: string, rollout: Rollout) => ReportedRollout | null
  /** Null of one that was never loaded. */
  readonly metricsOf: (functionName: string, revision: string) => CallMetrics | null
  readonly probeOf: (functionName: string) => ProbeStatus | null
  readonly stableTripOf: (functionName: string, state: FunctionState) => ReportedStableTrip | null
  /** Of the release that serves. */
  readonly stableFailureOf: (functionName: string, stable: Digest) => ReportedStableFailure | null
}

export function toStatus(sources: StatusSources): RuntimeStatus {
  const { active, moments, serving, refusals, refusal } = sources
  const names = [...new Set([...serving.slots.keys(), ...refusals.keys()])].toSorted()
  return {
    state: sources.state,
    environment: sources.environment,
    instance: sources.instance,
    startedAt: toIso(sources.startedAt),
    frozen: sources.isFrozen,
    manifest: active === null ? null : manifestStatus(active),
    source: {
      store: sources.store,
      groups: sources.groups,
      missingGroups: active?.missingGroups ?? [],
      lastRequest: toIsoOrNull(moments.request),
      lastSuccess: toIsoOrNull(moments.success),
      lastDownload: toIsoOrNull(moments.download),
      lastActivation: toIsoOrNull(moments.activation),
    },
    functions: names.map((name) => functionStatus(name, serving.slots.get(name), sources)),
    degraded: sources.watchdog.kills > 0,
    watchdog: sources.watchdog,
    overload: sources.overload,
    refusal,
    alarms: refusal === null ? sources.alarms : [refusal, ...sources.alarms],
  }
}

function manifestStatus({ manifest, digest }: DesiredState): RuntimeStatus['manifest'] {
  const { epoch, version, rootVersion, commit, actor, issuedAt, expiresAt } = manifest
  return { epoch, version, digest, rootVersion, commit, actor, issuedAt, expiresAt }
}

function functionStatus(
  name: string,
  slot: Slot | undefined,
  sources: StatusSources,
): FunctionStatus {
  const { active, refusals, rolloutOf } = sources
  const desired = active?.functions.get(name)
  const release = slot?.stable?.ref.release
  const countsOf = (revision: string): RevisionCounts | null =>
    toCounts(sources.metricsOf(name, revision))
  return {
    function: name,
    stable: slot?.stable?.revision.id ?? null,
    canary: slot?.canary?.revision.id ?? null,
    counts: {
      stable: slot?.stable == null ? null : countsOf(slot.stable.revision.id),
      canary: slot?.canary == null ? null : countsOf(slot.canary.revision.id),
    },
    loaded: isLoaded(slot),
    probation: slot?.stable?.revision.isOnProbation ?? false,
    weightPercent: slot?.canary?.weightPercent ?? 0,
    route: slot === undefined ? null : { method: slot.http.method, path: slot.http.path },
    stopped: slot?.stopped ?? false,
    hold: desired?.hold ?? null,
    since: slot === undefined ? null : toIso(slot.since),
    manifestVersion: slot?.manifestVersion ?? null,
    rollout: desired?.rollout == null ? null : rolloutOf(name, desired.rollout),
    stableTrip: desired === undefined ? null : sources.stableTripOf(name, desired),
    stableFailure: release === undefined ? null : sources.stableFailureOf(name, release),
    probe: sources.probeOf(name),
    refusals: (refusals.get(name) ?? []).map(toStatusRefusal),
  }
}

function toCounts(metrics: CallMetrics | null): RevisionCounts | null {
  if (metrics === null) return null
  const { calls, faults, errors, strayFaults, droppedLines } = metrics
  return {
    calls,
    faults,
    errors: Object.fromEntries(errors),
    strayFailures: strayFaults,
    droppedLogLines: droppedLines,
  }
}

function toStatusRefusal(refusal: Refusal): StatusRefusal {
  return { ...refusal, since: toIso(refusal.since) }
}

function toIso(epochMs: number): string {
  return new Date(epochMs).toISOString()
}

function toIsoOrNull(epochMs: number | null): string | null {
  return epochMs === null ? null : toIso(epochMs)
}
