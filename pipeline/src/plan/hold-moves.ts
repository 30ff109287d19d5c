import type { CoveredHold, Hold } from '@needle-faas/runtime/manifest'
import { holdBelowStop } from './below-stop.ts'

/** Something that became of a stop or a hold from one state to the next. */
export interface HoldMove {
  readonly kind: 'stopped' | 'stop-ended' | 'held' | 'held-again' | 'hold-ended'
  /** The stop or hold that it became of. */
  readonly hold: CoveredHold
}

/** What became of the stop of a function and of the hold below it, in this order. */
export function holdMoves(before: Hold | null, after: Hold | null): readonly HoldMove[] {
  const [oldStop, stop] = [stopIn(before), stopIn(after)]
  const [oldHold, hold] = [holdBelowStop(before), holdBelowStop(after)]
  const moves: HoldMove[] = []
  if (stop !== null && stop.since !== oldStop?.since) moves.push({ kind: 'stopped', hold: stop })
  const isResumed = oldStop !== null && stop === null
  if (isResumed) moves.push({ kind: 'stop-ended', hold: oldStop })
  if (hold !== null && hold.since !== oldHold?.since) moves.push({ kind: 'held', hold })
  else if (hold !== null && isResumed) moves.push({ kind: 'held-again', hold })
  if (hold === null && oldHold !== null) moves.push({ kind: 'hold-ended', hold: oldHold })
  return moves
}

function stopIn(hold: Hold | null): Hold | null {
  return hold?.mode === 'stopped' ? hold : null
}
