import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { Refusal } from './plan.ts'

/** How the commit to publish relates to the one the environment was published from. */
export type Lineage = 'first' | 'same' | 'descends' | 'older' | 'diverged' | 'unknown' | 'shallow'

/** Why a commit may not be published over what the environment runs; null when it may. */
export function refusalOfLineage(question: {
  readonly lineage: Lineage
  readonly commit: string
  readonly state: EnvironmentState
}): Omit<Refusal, 'function'> | null {
  const { lineage, state } = question
  if (lineage === 'first' || lineage === 'same' || lineage === 'descends') return null
  const published = `${state.newest?.manifest.commit?.slice(0, 12)}`
  const commit = question.commit.slice(0, 12)
  const override = 'To publish it all the same: --allow-older --reason "…"'
  const refusals: Record<typeof lineage, Omit<Refusal, 'function'>> = {
    older: {
      code: 'COMMIT_OLDER',
      message: `Commit ${commit} is older than ${published}, which ${state.environment} already runs. Publish the newest commit instead. ${override}`,
    },
    diverged: {
      code: 'COMMIT_OLDER',
      message: `Commit ${commit} does not descend from ${published}, which ${state.environment} runs: publishing it would undo merges. Rebase it or publish the newest commit. ${override}`,
    },
    unknown: {
      code: 'COMMIT_UNKNOWN',
      message: `${state.environment} runs commit ${published}, which this clone does not have. Fetch it (git fetch origin) and publish again. ${override}`,
    },
    shallow: {
      code: 'CLONE_SHALLOW',
      message: `This clone is shallow, so whether ${commit} descends from ${published} cannot be told. Run git fetch --unshallow, or use fetch-depth: 0 in actions/checkout`,
    },
  }
  return refusals[lineage]
}
