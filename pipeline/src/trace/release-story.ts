import {
  findQuarantined,
  type FunctionState,
  type ReleaseRef,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates } from '../plan/function-states.ts'
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
    | 'promoted'
    | 'aborted'
    | 'canary-ended'
    | 'rolled-back'
    | 'replaced'
    | 'removed'
    | 'quarantined'
    | 'quarantine-cleared'
    | 'held'
    | 'stopped'
    | 'hold-ended'
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
  if (now === undefined) return [{ kind: 'removed', text: 'removed with its function' }]
  const successor = shortDigest(now.stable.release)
  if (from === 'canary') {
    if (isQuarantined) {
      return [{ kind: 'aborted', text: `canary aborted and quarantined, ${successor} serves all` }]
    }
    const other =
      now.rollout === null
        ? ''
        : `, canary ${shortDigest(now.rollout.canary.release)} took its place`
    return [{ kind: 'canary-ended', text: `ended as canary${other}` }]
  }
  return isQuarantined
    ? [{ kind: 'rolled-back', text: `rolled back and quarantined, ${successor} serves instead` }]
    : [{ kind: 'replaced', text: `replaced by ${successor}` }]
}

function tellStep(
  old: FunctionState | undefined,
  now: FunctionState | undefined,
): readonly ReleaseEvent[] {
  const [before, after] = [old?.rollout?.weightPercent, now?.rollout?.weightPercent]
  if (before === after) return []
  return [{ kind: 'canary-stepped', text: `went from ${before} % to ${after} %` }]
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
  const isHeldNow = now?.hold?.endsWithMerge === true && now.hold.since !== old.hold?.since
  if (isHeldNow)
    return { kind: 'rolled-back-to', text: `rolled back to: serves all instead of ${left}` }
  return old.previous.some((each) => isSamePair(each, ref))
    ? { kind: 'returned', text: `came back at once instead of ${left}: it had served before` }
    : { kind: 'updated', text: `serves all instead of ${left}` }
}

/** Holds concern the release that serves meanwhile. */
function tellHold(
  ref: ReleaseRef,
  old: FunctionState | undefined,
  now: FunctionState | undefined,
): readonly ReleaseEvent[] {
  if (now === undefined || sideOf(ref, now) !== 'stable') return []
  const { hold } = now
  if (hold !== null && hold.since !== old?.hold?.since) {
    return hold.mode === 'stopped'
      ? [{ kind: 'stopped', text: `stopped by ${hold.by}: ${hold.reason}` }]
      : [{ kind: 'held', text: `held by ${hold.by}: ${hold.reason}` }]
  }
  return hold === null && old?.hold != null && sideOf(ref, old) === 'stable'
    ? [{ kind: 'hold-ended', text: `hold of ${old.hold.by} ended` }]
    : []
}
