import type {
  Contract,
  FunctionState,
  Hold,
  Provenance,
  QuarantineEntry,
  ReleaseRef,
} from '@needle-faas/runtime/manifest'
import type { Decision } from '../environment-state/decisions.ts'
import type { FleetInstance } from '../environment-state/fleet.ts'
import type { PullRequestPeople } from '../github/pull-request-people.ts'
import type { Difference } from '../plan/explain-change.ts'
import type { ReleaseEvent } from './release-story.ts'

/** Everything known of a release, a function or a manifest. What is not known is null, never a guess. */
export type Trace = ReleaseTrace | FunctionTrace | ManifestTrace

export interface ReleaseTrace {
  readonly kind: 'release'
  readonly environment: string
  readonly origin: ReleaseOrigin
  readonly now: ReleaseNow
  /** The manifests that did something to it, newest first. */
  readonly history: readonly TracedManifest<ReleaseEvent>[]
  /** What could not be found out, and how it could be. */
  readonly unknown: readonly string[]
}

export interface FunctionTrace {
  readonly kind: 'function'
  readonly environment: string
  readonly function: string
  /** Null when the newest manifest does not have it. */
  readonly state: FunctionState | null
  readonly quarantine: readonly QuarantineEntry[]
  readonly instances: readonly ServingInstance[]
  /** Every release the history looked at names, newest first. */
  readonly releases: readonly ReleaseOrigin[]
  readonly history: readonly TracedManifest<Difference>[]
  readonly unknown: readonly string[]
}

export interface ManifestTrace {
  readonly kind: 'manifest'
  readonly environment: string
  readonly isNewest: boolean
  readonly manifest: TracedManifest<Difference>
  readonly expiresAt: string | null
  /** Instances that run exactly this one. */
  readonly instances: readonly FleetInstance[]
  readonly unknown: readonly string[]
}

/** A release and where it came from. */
export interface ReleaseOrigin {
  /** As `x-needle-revision` shows it. */
  readonly revision: string
  readonly function: string
  readonly ref: ReleaseRef
  /** Null when the release was pruned or is damaged; `fault` says which. */
  readonly provenance: Provenance | null
  readonly builtAt: string | null
  readonly contract: Contract | null
  readonly fault: string | null
  /** First line of the commit's message; null without a clone that has it. */
  readonly subject: string | null
  /** Null without a pull request, or where GitHub was not asked. */
  readonly people: PullRequestPeople | null
}

export interface ReleaseNow {
  /** How the newest manifest names it. */
  readonly serves: 'stable' | 'canary' | 'previous' | 'nothing'
  /** Of all keys, as desired. */
  readonly weightPercent: number
  readonly hold: Hold | null
  readonly quarantine: QuarantineEntry | null
  readonly instances: readonly ServingInstance[]
}

/** What an instance says it serves of a function. */
export interface ServingInstance extends Pick<FleetInstance, 'instance' | 'state' | 'version'> {
  readonly stable: string | null
  readonly canary: string | null
  readonly weightPercent: number
  readonly stopped: boolean
}

export interface TracedManifest<Event> {
  readonly version: number
  readonly issuedAt: string | null
  readonly actor: string | null
  readonly reason: string | null
  readonly commit: string | null
  /** Why the entry is no longer accepted; null when it is. */
  readonly fault: string | null
  /** Null when what it named was pruned or is damaged. */
  readonly events: readonly Event[] | null
  readonly decisions: readonly Decision[]
}
