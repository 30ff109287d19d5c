import {
  findQuarantined,
  type FunctionState,
  type ReleaseRef,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { holdBelowStop } from '../plan/below-stop.ts'
import { type HoldMove, holdMoves } from '../plan/hold-moves.ts'
import { newApproval } from '../plan/new-approval.ts'
import { isSamePair } from '../plan/pair.ts'

/** Something a manifest did to a release. */
export interface ReleaseEvent {
  readonly kind:
    | 'added'
    | 'updated'
    | 'returned'
    | 'rolled-back-to'
    | 'canary-started'
    | 'canary-stepped'
    | 'step-approved'
    | 'promoted'
    | 'aborted'
    | 'canary-ended'
    | 'overtaken'
    | 'rolled-back'
    | 'replaced'
    | 'removed'
    | 'quarantined'
    | 'quarantine-cleared'
    | HoldMove['kind']
  readonly text: string
}

export interface TracedRelease {
  /** Full name. */
  readonly function: string
  readonly ref: ReleaseRef
}

/**
 * What became of a release from one state to the next, in order; nothing when it was not concerned.
 *
 * @param before - Null before the first manifest.
 */
export function tellRelease(
  { function: name, ref }: TracedRelease,
  before: EnvironmentState | null,
  after: EnvironmentState,
): readonly ReleaseEvent[] {
  const old = before === null ? undefined : toFunctionStates(before.groups).get(name)
  const now = toFunctionStates(after.groups).get(name)
  const wasBad = findQuarantined(before?.quarantine ?? [], name, ref) !== undefined
  const isBad = findQuarantined(after.quarantine, name, ref) !== undefined
  const quarantine = !wasBad && isBad
  const moves = tellMove(ref, old, now, quarantine)
  const says = moves.some(({ kind }) => kind === 'aborted' || kind === 'rolled-back')
  return [
    ...moves,
    ...(quarantine && !says
      ? [{ kind: 'quarantined' as const, text: 'quarantined: may not serve again' }]
      : []),
    ...(wasBad && !isBad
      ? [{ kind: 'quarantine-cleared' as const, text: 'may serve again: quarantine cleared' }]
      : []),
    ...tellHold(ref, old, now),
  ]
}

type Side = 'stable' | 'canary' | null

/** By its digest: two releases of one pair differ in where they came from. */
function sideOf(ref: ReleaseRef, state: FunctionState | undefined): Side {
  if (state?.stable.release === ref.release) return 'stable'
  return state?.rollout?.canary.release === ref.release ? 'canary' : null
}

function tellMove(
  ref: ReleaseRef,
  old: FunctionState | undefined,
  now: FunctionState | undefined,
  isQuarantined: boolean,
): readonly ReleaseEvent[] {
  const [from, to] = [sideOf(ref, old), sideOf(ref, now)]
  if (from === 'canary' && to === 'canary') return tellStep(old, now)
  if (from === to) return []
  if (to === 'canary') {
    const weight = now?.rollout?.weightPercent ?? 0
    return [{ kind: 'canary-started', text: `started as canary at ${weight} %` }]
  }
  if (to === 'stable') return [tellArrival(ref, from, old, now)]
  if (now === undefined) {
    const end = from === 'canary' ? 'ended as canary' : 'removed'
    const text = `${end} with its function, which was deleted or renamed in Git`
    return [{ kind: 'removed', text }]
  }
  const successor = shortDigest(now.stable.release)
  if (from === 'canary') {
    if (isQuarantined) {
      return [{ kind: 'aborted', text: `canary aborted and quarantined, ${successor} serves all` }]
    }
    return [tellEnd(ref, old, now)]
  }
  return isQuarantined
    ? [{ kind: 'rolled-back', text: `rolled back and quarantined, ${successor} serves instead` }]
    : [{ kind: 'replaced', text: `replaced by ${successor}` }]
}

function tellEnd(
  ref: ReleaseRef,
  old: FunctionState | undefined,
  now: FunctionState,
): ReleaseEvent {
  const stable = shortDigest(now.stable.release)
  if (now.rollout !== null) {
    const other = shortDigest(now.rollout.canary.release)
    return isSamePair(ref, now.rollout.canary)
      ? { kind: 'canary-ended', text: `signed again: goes on as canary ${other}` }
      : { kind: 'overtaken', text: `overtaken by the next merge: canary ${other} took its place` }
  }
  return old !== undefined && isSamePair(old.stable, now.stable)
    ? { kind: 'canary-ended', text: `ended as canary: Git is back at ${stable}` }
    : { kind: 'overtaken', text: `overtaken by the next merge: ${stable} serves all` }
}

function tellStep(
  old: FunctionState | undefined,
  now: FunctionState | undefined,
): readonly ReleaseEvent[] {
  const [before, after] = [old?.rollout?.weightPercent, now?.rollout?.weightPercent]
  const approval = newApproval(old?.rollout ?? null, now?.rollout ?? null)
  return [
    ...(before === after
      ? []
      : [{ kind: 'canary-stepped' as const, text: `went from ${before} % to ${after} %` }]),
    ...(approval === null
      ? []
      : [{ kind: 'step-approved' as const, text: `${approval.text} by ${approval.by}` }]),
  ]
}

function tellArrival(
  ref: ReleaseRef,
  from: Side,
  old: FunctionState | undefined,
  now: FunctionState | undefined,
): ReleaseEvent {
  if (from === 'canary') return { kind: 'promoted', text: 'promoted: serves all' }
  if (old === undefined) return { kind: 'added', text: 'added: serves all' }
  const left = shortDigest(old.stable.release)
  const hold = holdBelowStop(now?.hold ?? null)
  const isHeldNow = hold?.endsWithMerge === true && hold.since !== holdBelowStop(old.hold)?.since
  if (isHeldNow)
    return { kind: 'rolled-back-to', text: `rolled back to: serves all instead of ${left}` }
  return old.previous.some((each) => isSamePair(each, ref))
    ? { kind: 'returned', text: `came back at once instead of ${left}: it had served before` }
    : { kind: 'updated', text: `serves all instead of ${left}` }
}

/** Holds concern what serves meanwhile, a canary too: it is stopped with its function, and takes no step. */
function tellHold(
  ref: ReleaseRef,
  old: FunctionState | undefined,
  now: FunctionState | undefined,
): readonly ReleaseEvent[] {
  if (now === undefined || sideOf(ref, now) === null) return []
  const hasServed = sideOf(ref, old) !== null
  return holdMoves(old?.hold ?? null, now.hold)
    .filter(({ kind }) => hasServed || kind === 'stopped' || kind === 'held')
    .map(({ kind, hold: { by, reason } }) => {
      const texts: Record<HoldMove['kind'], string> = {
        stopped: `stopped by ${by}: ${reason}`,
        'stop-ended': `stop of ${by} ended`,
        held: `held by ${by}: ${reason}`,
        'held-again': `held again by ${by}: ${reason}`,
        'hold-ended': `hold of ${by} ended`,
      }
      return { kind, text: texts[kind] }
    })
}
