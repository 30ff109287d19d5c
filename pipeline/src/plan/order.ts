import type { FunctionState, Hold, QuarantineEntry } from '@needle-faas/runtime/manifest'
import type { PipelineErrorCode } from '../errors.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { listNearest } from '../functions/near-names.ts'
import { toFunctionStates, toGroups } from './function-states.ts'
import type { Pair } from './pair.ts'
import { type Change, type Kept, type Plan, refuse } from './plan.ts'

/** What a person orders about one function. */
export interface Order {
  readonly state: EnvironmentState
  /** Full name. */
  readonly function: string
  readonly actor: string
  readonly reason: string
  /** Epoch milliseconds. */
  readonly now: number
}

export interface OrderOutcome {
  readonly next: FunctionState
  readonly changes: readonly Omit<Change, 'function'>[]
  /** Replaces the environment's list. */
  readonly quarantine?: readonly QuarantineEntry[]
}

/** It is as ordered already, and how so. */
export interface OrderKept {
  readonly kept: Kept
}

export interface OrderRefusal {
  readonly code: PipelineErrorCode
  readonly message: string
}

/**
 * Plans a change of one function that exists; the commit of the environment stays.
 *
 * @param decide - Null: it is as ordered already.
 */
export function planOrder(
  order: Order,
  decide: (state: FunctionState) => OrderOutcome | OrderKept | OrderRefusal | null,
): Plan {
  const { environment, newest } = order.state
  if (newest === null) {
    return refuse(
      'ENVIRONMENT_EMPTY',
      null,
      `Nothing was ever published to ${environment}. Run needle publish first, or check --environment`,
    )
  }
  const states = toFunctionStates(order.state.groups)
  const state = states.get(order.function)
  if (state === undefined) {
    return refuse(
      'FUNCTION_UNKNOWN',
      order.function,
      `${environment} has no function ${order.function}. It has: ${listNearest(order.function, states.keys())}`,
    )
  }
  const outcome = decide(state)
  const unchanged = { draft: null, changes: [], kept: [], refusals: [] }
  if (outcome === null) return unchanged
  if ('kept' in outcome) return { ...unchanged, kept: [outcome.kept] }
  if ('code' in outcome) return refuse(outcome.code, order.function, outcome.message)
  return {
    draft: {
      commit: newest.manifest.commit,
      actor: order.actor,
      reason: order.reason,
      groups: toGroups(new Map(states).set(order.function, outcome.next)),
      quarantine: outcome.quarantine ?? order.state.quarantine,
    },
    changes: outcome.changes.map(({ kind, text }) => ({ kind, text, function: order.function })),
    kept: [],
    refusals: [],
  }
}

/** A hold by whoever ordered, at the present revision unless said otherwise. */
export function holdBy(order: Order, more: Partial<Hold> = {}): Hold {
  return {
    mode: 'revision',
    by: order.actor,
    reason: order.reason,
    since: new Date(order.now).toISOString(),
    until: null,
    ...more,
  }
}

/** The environment's quarantine with these pairs of the ordered function added once each. */
export function quarantineWith(order: Order, pairs: readonly Pair[]): QuarantineEntry[] {
  const entries = [...order.state.quarantine]
  for (const { artifact, settings } of pairs) {
    const listed = entries.some(
      (entry) =>
        entry.function === order.function &&
        entry.artifact === artifact &&
        entry.settings === settings,
    )
    if (listed) continue
    entries.push({
      function: order.function,
      artifact,
      settings,
      by: order.actor,
      reason: order.reason,
      since: new Date(order.now).toISOString(),
    })
  }
  return entries
}
