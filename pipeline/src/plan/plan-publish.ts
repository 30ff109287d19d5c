import { toGroups } from './function-states.ts'
import { type Lineage, refusalOfLineage } from './lineage.ts'
import { type FunctionsInput, planFunctions } from './plan-functions.ts'
import { type Plan, refuse } from './plan.ts'

export interface PublishInput extends FunctionsInput {
  readonly commit: string
  readonly lineage: Lineage
  readonly allowOlder: boolean
  readonly actor: string
  readonly reason: string
}

/**
 * What the environment should be once this commit is live, compared with the newest manifest. A
 * function whose artifact and settings are what already serves keeps its release and with it its
 * provenance.
 */
export function planPublish(input: PublishInput): Plan {
  const older = input.allowOlder ? null : refusalOfLineage(input)
  if (older !== null) return refuse(older.code, null, older.message)

  const { next, ...told } = planFunctions(input)
  // A commit that changes nothing is recorded all the same: an older one, never published, could
  // else still be published after it by running its job again.
  const isRecorded = input.state.newest?.manifest.commit === input.commit
  const draft =
    told.changes.length === 0 && isRecorded
      ? null
      : {
          commit: input.commit,
          actor: input.actor,
          reason: input.reason,
          groups: toGroups(next),
          quarantine: input.state.quarantine,
        }
  return { draft, ...told }
}
