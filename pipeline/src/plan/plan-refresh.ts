import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { type Plan, refuse } from './plan.ts'

export interface RefreshOrder {
  readonly state: EnvironmentState
  readonly actor: string
  readonly reason: string
}

/** The same state signed again under a higher version, which moves its expiry on. */
export function planRefresh(order: RefreshOrder): Plan {
  const { newest, environment, groups, quarantine } = order.state
  if (newest === null) {
    return refuse(
      'ENVIRONMENT_EMPTY',
      null,
      `Nothing was ever published to ${environment}. Run needle publish first, or check --environment`,
    )
  }
  const { actor, reason } = order
  return {
    draft: { commit: newest.manifest.commit, actor, reason, groups, quarantine },
    changes: [{ kind: 'signed-again', function: null, text: 'signed again, expiry moved on' }],
    kept: [],
    refusals: [],
  }
}
