import type { EnvironmentState } from '../environment-state/environment-state.ts'

/** Version of the manifest that a plan from this state becomes. */
export function nextVersion({ newest }: EnvironmentState): number {
  return (newest?.manifest.version ?? 0) + 1
}
