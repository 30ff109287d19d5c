import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { FleetInstance } from '../environment-state/fleet.ts'
import type { HistoryState } from '../environment-state/history-states.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import type { GitRepository } from '../git/git-repository.ts'
import type { ServingInstance } from './serving-instance.ts'

export interface TraceQuestion {
  readonly access: EnvironmentAccess
  /** What `findSubject` understands. */
  readonly typed: string
  /** How many manifests back it looks. */
  readonly limit: number
  /** A clone that may have the commits; null without one. */
  readonly git: GitRepository | null
  readonly env: Readonly<Record<string, string | undefined>>
  /** Epoch milliseconds, by this machine's clock. */
  readonly now: number
}

/** What was read of the environment to answer it. */
export interface Facts {
  readonly question: TraceQuestion
  /** Newest first, one more than is told. */
  readonly history: readonly HistoryState[]
  readonly fleet: readonly FleetInstance[]
  readonly serving: (functionName: string) => readonly ServingInstance[]
}

/** Null when no manifest can be read with all that it names. */
export function newestState(history: readonly HistoryState[]): EnvironmentState | null {
  return history.find(({ state }) => state !== null)?.state ?? null
}
