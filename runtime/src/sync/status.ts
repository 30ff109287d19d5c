import type { RuntimeErrorCode } from '../errors.ts'
import type { Digest } from '../manifest/digest.ts'
import type { Hold } from '../manifest/group-document.ts'
import type {
  ReportedRollout,
  ReportedStableFailure,
  ReportedStableTrip,
  ReportedTrip,
} from '../manifest/instance-report.ts'

/** A refusal as the status shows it. */
export interface StatusRefusal {
  readonly side: 'stable' | 'canary'
  readonly release: Digest
  /** Of the rollout whose canary it is; null of a stable. */
  readonly salt: string | null
  readonly code: RuntimeErrorCode
  readonly message: string
  readonly since: string
}

/** What a revision has done since it was first loaded here. */
export interface RevisionCounts {
  /** Answered ones. */
  readonly calls: number
  /** Calls that failed through its fault. */
  readonly faults: number
  /** Error answers by code, those a caller is to blame for included. */
  readonly errors: Readonly<Record<string, number>>
  /** Failures that nobody awaited, at most one for a call. */
  readonly strayFailures: number
  /** Lines of its log that were too many to be written. */
  readonly droppedLogLines: number
}

export interface FunctionStatus {
  readonly function: string
  /** Revision ids; null when none serves. */
  readonly stable: string | null
  readonly canary: string | null
  /** Null of one that does not serve, or was not loaded yet. */
  readonly counts: {
    readonly stable: RevisionCounts | null
    readonly canary: RevisionCounts | null
  }
  /** Whether stable is in memory; else its next call loads it. */
  readonly loaded: boolean
  /** Whether stable has still to prove itself on this instance. */
  readonly probation: boolean
  /** Percent of keys the canary serves. */
  readonly weightPercent: number
  /** Null when nothing of it serves: its first release was refused. */
  readonly route: { readonly method: string; readonly path: string } | null
  readonly stopped: boolean
  readonly hold: Hold | null
  /** When it began to serve like this. */
  readonly since: string | null
  /** Version of the manifest that made it so. */
  readonly manifestVersion: number | null
  /** What was measured of the rollout that is desired; null without one, and before its first call. */
  readonly rollout: ReportedRollout | null
  /** Why the release before the desired stable serves; null when it does not. */
  readonly stableTrip: ReportedStableTrip | null
  /** What shows that stable fails, with nothing changed for it; null when nothing does. */
  readonly stableFailure: ReportedStableFailure | null
  /** What came of the last example call that was made to canary and stable; null before the first. */
  readonly probe: ProbeStatus | null
  readonly refusals: readonly StatusRefusal[]
}

/** What a revision answered an example call. */
export interface ProbeResult {
  readonly revision: string
  readonly status: number
  readonly errorCode: string | null
  readonly isGood: boolean
}

export interface ProbeStatus {
  readonly at: string
  /** Index of the example call among those the canary declares. */
  readonly probe: number
  readonly canary: ProbeResult
  readonly stable: ProbeResult
}

/** Something a person should know of; gone when its cause is. */
export interface Alarm {
  readonly code: RuntimeErrorCode
  readonly message: string
  readonly since: string
}

/** What becomes of a function that holds the event loop. */
export interface WatchdogStatus {
  /** `reporting`: stopping one would end the process, so it is only told of. */
  readonly mode: 'stopping' | 'reporting' | 'off'
  /** Why it is not `stopping`; null when it is. */
  readonly reason: string | null
  /** Longest stall; null when switched off. */
  readonly limitMs: number | null
  /** Executions of functions of this runtime that were ended. */
  readonly kills: number
  readonly lastKill: string | null
}

/** How late the event loop runs, and who is turned away for it. */
export interface OverloadStatus {
  /** Milliseconds, the mean of about a second; null when nobody watches. */
  readonly delayMs: number | null
  /** Null when switched off. */
  readonly limitMs: number | null
  /** Functions whose calls are answered 503 until the event loop keeps up. */
  readonly shed: readonly string[]
}

/** All there is to know about a runtime. Times are ISO 8601. */
export interface RuntimeStatus {
  /**
   * `ready`: a function has served or was stopped on purpose, or none is wanted; it stays so.
   * `notReady`: the boot deadline is over without that; calls answer 503.
   */
  readonly state: 'starting' | 'ready' | 'notReady'
  readonly environment: string
  readonly instance: string
  readonly startedAt: string
  /** The manifest has expired: nothing changes until a newer one arrives; what serves goes on. */
  readonly frozen: boolean
  /** The manifest that was activated last; null before the first. */
  readonly manifest: {
    readonly epoch: number
    readonly version: number
    readonly digest: Digest
    readonly rootVersion: number
    readonly commit: string | null
    readonly actor: string
    readonly issuedAt: string
    readonly expiresAt: string
  } | null
  readonly source: {
    readonly store: string
    readonly groups: readonly string[]
    /** Subscribed groups the manifest does not know. */
    readonly missingGroups: readonly string[]
    /** The manifest was asked for. */
    readonly lastRequest: string | null
    /** The store answered with something that was accepted, unchanged included. */
    readonly lastSuccess: string | null
    /** A manifest came whole, with all its documents. */
    readonly lastDownload: string | null
    /** A manifest was put into service. */
    readonly lastActivation: string | null
  }
  readonly functions: readonly FunctionStatus[]
  /**
   * A runaway function was stopped in this process. Work that was queued at that instant may have
   * been lost: let the process be replaced when it suits.
   */
  readonly degraded: boolean
  readonly watchdog: WatchdogStatus
  readonly overload: OverloadStatus
  /** Why the last poll failed or its manifest was refused; null when it did not. */
  readonly refusal: Alarm | null
  readonly alarms: readonly Alarm[]
}

/** Something that happened, for alarms and dashboards. Also logged. */
export type RuntimeEvent =
  | {
      readonly type: 'activated'
      readonly epoch: number
      readonly version: number
      /** Functions that serve something else than before. */
      readonly changed: readonly string[]
    }
  /** The store failed or its manifest was refused; told once per reason, until it changes. */
  | { readonly type: 'refused'; readonly code: RuntimeErrorCode; readonly message: string }
  | {
      readonly type: 'functionRefused'
      readonly function: string
      readonly side: 'stable' | 'canary'
      readonly code: RuntimeErrorCode
      readonly message: string
    }
  /** Two manifests claim one version. */
  | { readonly type: 'forked'; readonly message: string }
  | { readonly type: 'frozen'; readonly message: string }
  | { readonly type: 'unfrozen'; readonly version: number }
  /** The manifest does not know a group this instance is to serve. */
  | { readonly type: 'groupMissing'; readonly group: string; readonly message: string }
  /** The activation of a manifest ended the process: it is tried again later. Told once per manifest. */
  | { readonly type: 'heldBack'; readonly version: number; readonly message: string }
  /** The process before this one was killed or crashed: what is at work is recorded for a while. */
  | { readonly type: 'uncleanEnd'; readonly message: string }
  | { readonly type: 'cacheUnusable'; readonly message: string }
  | { readonly type: 'drainTimedOut'; readonly revision: string; readonly inFlight: number }
  /** A function held the event loop: it was stopped and is quarantined here, or that was not possible. */
  | {
      readonly type: 'runaway'
      readonly revision: string
      readonly requestId: string | null
      readonly stalledMs: number
      readonly stopped: boolean
    }
  /** A canary did worse than stable: it serves nobody here until there is another rollout. */
  | {
      readonly type: 'canaryTripped'
      readonly function: string
      readonly revision: string
      readonly trip: ReportedTrip
    }
  /** A stable failed within its rollback window: the release before it serves here. */
  | {
      readonly type: 'stableTripped'
      readonly function: string
      readonly revision: string
      readonly trip: ReportedStableTrip
    }
  /** A stable fails more often than was usual before it; nothing changes by itself. Told once per release. */
  | {
      readonly type: 'stableFailing'
      readonly function: string
      readonly revision: string
      readonly failure: ReportedStableFailure
    }
  /** The event loop cannot keep up, or can again: a function is turned away, or no longer. */
  | {
      readonly type: 'shed' | 'restored'
      readonly function: string
      /** Part of the event loop's time it had when it was shed, 0–1. */
      readonly share: number
      readonly delayMs: number
    }
  /** A function's stray promise or timer failed; the process goes on. */
  | {
      readonly type: 'strayFailure'
      readonly revision: string
      readonly requestId: string | null
      /** Of the call that left it behind, where the host traces. */
      readonly traceId?: string
      readonly message: string
    }
