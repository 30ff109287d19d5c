import {
  type CoveredHold,
  findQuarantined,
  type FunctionState,
  type QuarantineEntry,
  type ReleaseRef,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { putBelowStop } from './below-stop.ts'
import {
  holdBy,
  type Order,
  type OrderKept,
  type OrderRefusal,
  planOrder,
  quarantineWith,
} from './order.ts'
import { isReleaseNamed, isSamePair, pairName, previousAfter } from './pair.ts'
import type { Plan } from './plan.ts'
import { withoutRollbackWindow } from './rollback-window.ts'
import { describeTakenBack, isDone, isOrderedAgain, takenBackHold } from './taken-back.ts'

export interface RollbackOrder extends Order {
  /** `previous`, or the first digits of a release's or an artifact's digest. */
  readonly to: string
  /** Releases of the function that served earlier, newest first, beyond those kept warm. */
  readonly older?: readonly ReleaseRef[]
}

/**
 * An older revision becomes desired. What served instead of it, a running canary included, is
 * quarantined, and the function is held until Git says something else or someone clears it. One that
 * is stopped stays so: it serves the older revision, held there, once it is resumed.
 */
export function planRollback(order: RollbackOrder): Plan {
  return planOrder(order, (state) => {
    const taken = takenBackHold(state)
    if (order.to === 'previous' && taken !== null) return goNoFurther(order, state, taken)
    const target = chooseTarget(order, state)
    if ('code' in target) return target
    const serving = state.rollout ? [state.stable, state.rollout.canary] : [state.stable]
    const bad = serving.filter((ref) => !isSamePair(ref, target))
    if (bad.length === 0) {
      if (taken !== null) return isDone(order, state, taken)
      return {
        code: 'ROLLBACK_TARGET',
        message: `${order.function} already serves ${shortDigest(target.release)}`,
      }
    }
    const quarantine = quarantineWith(order, bad)
    const when = state.hold?.mode === 'stopped' ? ' once it is resumed, stays stopped' : ''
    return {
      next: {
        ...withoutRollbackWindow(state),
        stable: target,
        previous: previousAfter(state, target, { function: order.function, entries: quarantine }),
        rollout: null,
        hold: putBelowStop(state.hold, holdBy(order, { endsWithMerge: true })),
      },
      changes: [
        {
          kind: 'rolled-back',
          text: `${shortDigest(state.stable.release)} → ${shortDigest(target.release)}, held there${when}`,
        },
        ...bad.map((ref) => ({
          kind: 'quarantined' as const,
          text: `${pairName(ref)} quarantined`,
        })),
      ],
      quarantine,
    }
  })
}

/**
 * What served before is not what it seems to whoever does not know that it was taken back already: by
 * themselves a moment ago, by a colleague, or by the controller. Going back further would quarantine
 * the good one, so that it is done only for who names where to.
 */
function goNoFurther(
  order: RollbackOrder,
  state: FunctionState,
  hold: CoveredHold,
): OrderKept | OrderRefusal {
  if (isOrderedAgain(order, hold)) return isDone(order, state, hold)
  const further = chooseTarget(order, state)
  const command =
    'code' in further
      ? ''
      : `. To go back further, and quarantine that too: needle rollback ${order.function} --to ${shortDigest(further.release)} --reason "…"`
  return {
    code: 'ROLLBACK_TARGET',
    message: `${order.function}: ${describeTakenBack(state, hold)}. Nothing more was changed${command}`,
  }
}

function chooseTarget(order: RollbackOrder, state: FunctionState): ReleaseRef | OrderRefusal {
  const candidates = uniquePairs([state.stable, ...state.previous, ...(order.older ?? [])])
  const listed = candidates
    .filter((ref) => !isSamePair(ref, state.stable))
    .map((ref) => shortDigest(ref.release))
    .join(', ')
  if (order.to === 'previous') {
    const proven = state.previous.find((ref) => !quarantineEntry(order, ref))
    return (
      proven ?? {
        code: 'ROLLBACK_TARGET',
        message: `${order.function} has no earlier release kept in ${order.state.environment}. Name one with --to (needle history ${order.function} lists them), or stop it: needle stop ${order.function} --reason "…"`,
      }
    )
  }
  const matches = candidates.filter((ref) => isReleaseNamed(ref, order.to))
  const [match] = matches
  if (match === undefined) {
    return {
      code: 'ROLLBACK_TARGET',
      message: `No release of ${order.function} in ${order.state.environment} starts with ${order.to}. It could go to: ${listed || 'none'}`,
    }
  }
  if (matches.length > 1) {
    return {
      code: 'ROLLBACK_TARGET',
      message: `${order.to} means more than one release of ${order.function}: ${matches.map((ref) => shortDigest(ref.release)).join(', ')}. Give more digits`,
    }
  }
  const entry = quarantineEntry(order, match)
  if (entry) {
    return {
      code: 'PAIR_QUARANTINED',
      message: `${order.function} at ${pairName(match)} was quarantined by ${entry.by}: ${entry.reason}. Choose another release, or allow it again: needle clear ${order.function} --quarantine ${pairName(match)} --reason "…"`,
    }
  }
  return match
}

function quarantineEntry(order: Order, ref: ReleaseRef): QuarantineEntry | undefined {
  return findQuarantined(order.state.quarantine, order.function, ref)
}

function uniquePairs(refs: readonly ReleaseRef[]): ReleaseRef[] {
  return refs.filter((ref, index) => refs.findIndex((other) => isSamePair(other, ref)) === index)
}
