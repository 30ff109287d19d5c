import { callsOf, decisionsPerManifest, type RolloutDecision } from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { Order } from '../plan/order.ts'
import { planAbort } from '../plan/plan-abort.ts'
import { planPromote } from '../plan/plan-promote.ts'
import { planRollback } from '../plan/plan-rollback.ts'
import { planStep } from '../plan/plan-step.ts'
import type { Change, ManifestDraft, Plan, Refusal } from '../plan/plan.ts'
import { type Decision, isMove, type Move } from './decision.ts'

/** One round of the controller as a plan, and what did not fit into one manifest. */
export interface RoundPlan {
  readonly plan: Plan
  /** Moves left for the next round. */
  readonly deferred: number
}

/** Longest text of a decision or reason that goes into the manifest. */
const textLength = 300

const backward: ReadonlySet<Decision['kind']> = new Set<Move>(['abort', 'rollback'])

/**
 * Every decision that moves something, as one draft with its evidence: those that go back first,
 * and no more than one manifest takes.
 */
export function planRound(round: {
  readonly state: EnvironmentState
  readonly decisions: readonly Decision[]
  readonly actor: string
  /** Epoch milliseconds, by the clock of the store. */
  readonly now: number
}): RoundPlan {
  const moves = round.decisions
    .filter(({ kind }) => isMove(kind))
    .toSorted((a, b) => Number(backward.has(b.kind)) - Number(backward.has(a.kind)))
  const changes: Change[] = []
  const refusals: Refusal[] = []
  const decisions: RolloutDecision[] = []
  let draft: ManifestDraft | null = null
  for (const move of moves.slice(0, decisionsPerManifest)) {
    const plan = planMove(move, {
      state: draft === null ? round.state : stateAfter(round.state, draft),
      function: move.function,
      actor: round.actor,
      reason: shorten(move.text),
      now: round.now,
    })
    changes.push(...plan.changes)
    refusals.push(...plan.refusals)
    if (plan.draft === null) continue
    draft = plan.draft
    const { kind, verdict, evidence } = move
    decisions.push({ function: move.function, kind, verdict, text: shorten(move.text), evidence })
  }
  const reason = shorten(decisions.map(({ function: name, text }) => `${name}: ${text}`).join('; '))
  return {
    plan: {
      draft: draft && { ...draft, reason, decisions },
      changes,
      kept: [],
      refusals,
    },
    deferred: Math.max(0, moves.length - decisionsPerManifest),
  }
}

/** What the next move starts from. */
function stateAfter(
  state: EnvironmentState,
  { groups, quarantine }: ManifestDraft,
): EnvironmentState {
  return { ...state, groups, quarantine }
}

function planMove({ kind, evidence }: Decision, order: Order): Plan {
  switch (kind) {
    case 'step':
      return planStep({ ...order, callsBefore: callsOf(evidence.canary) })
    case 'promote':
      return planPromote(order)
    case 'abort':
      return planAbort(order)
    case 'rollback':
      return planRollback({ ...order, to: 'previous' })
    case 'wait':
    case 'hold':
      return { draft: null, changes: [], kept: [], refusals: [] }
    default:
      return kind satisfies never
  }
}

function shorten(text: string): string {
  return text.length <= textLength ? text : `${text.slice(0, textLength - 1)}…`
}
