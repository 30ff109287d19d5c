import type { FunctionState, Hold, QuarantineEntry } from '@needle-faas/runtime/manifest'
import type { FleetInstance } from '../environment-state/fleet.ts'
import type { Difference } from '../plan/explain-change.ts'
import type { ReleaseOrigin } from './release-origin.ts'
import type { ReleaseEvent } from './release-story.ts'
import type { ServingInstance } from './serving-instance.ts'
import type { TracedManifest } from './traced-manifest.ts'

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

export interface ReleaseNow {
  /** How the newest manifest names it. */
  readonly serves: 'stable' | 'canary' | 'previous' | 'nothing'
  /** Of all keys, as desired. */
  readonly weightPercent: number
  readonly hold: Hold | null
  readonly quarantine: QuarantineEntry | null
  readonly instances: readonly ServingInstance[]
}
