import { type CoveredHold, type FunctionState, shortDigest } from '@needle-faas/runtime/manifest'
import { holdBelowStop } from './below-stop.ts'
import type { Order, OrderKept } from './order.ts'

/** The hold of a rollback or an abort that lasts; null when nothing was taken back, or Git has moved on since. */
export function takenBackHold({ hold }: FunctionState): CoveredHold | null {
  const below = holdBelowStop(hold)
  return below?.endsWithMerge === true ? below : null
}

/** Whether this was left by the very same order: typed again to be sure, or after a failure. */
export function isOrderedAgain(
  { actor, reason }: Order,
  before: Pick<CoveredHold, 'by' | 'reason'>,
): boolean {
  return before.by === actor && before.reason === reason
}

/** That what was ordered is so already. */
export function isDone(
  { function: name }: Order,
  state: FunctionState,
  hold: CoveredHold,
): OrderKept {
  return {
    kept: {
      function: name,
      by: hold.by,
      reason: hold.reason,
      text: describeTakenBack(state, hold),
    },
  }
}

/** `taken back by Bob since …: 500s; serves 012345abcdef`. */
export function describeTakenBack({ hold, stable }: FunctionState, taken: CoveredHold): string {
  const serves = hold?.mode === 'stopped' ? 'once it is resumed it serves' : 'it serves'
  return `already taken back by ${taken.by}, ${taken.since}: ${taken.reason}; ${serves} ${shortDigest(stable.release)}`
}
