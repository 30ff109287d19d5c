import {
  findQuarantined,
  type FunctionState,
  type QuarantineEntry,
  type ReleaseRef,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates } from './function-states.ts'
import { type HoldMove, holdMoves } from './hold-moves.ts'
import { newApproval } from './new-approval.ts'
import { isSamePair, pairName } from './pair.ts'

/** One function that differs between two states, in words. */
export interface Difference {
  readonly function: string
  readonly text: string
}

/** What a manifest changed against the one before it; `null` for before is a first manifest. */
export function explainChange(
  before: EnvironmentState | null,
  after: EnvironmentState,
): readonly Difference[] {
  const old = toFunctionStates(before?.groups ?? {})
  const now = toFunctionStates(after.groups)
  const differences: Difference[] = []
  for (const name of new Set([...old.keys(), ...now.keys()].toSorted())) {
    const isNewlyBad = (ref: ReleaseRef): boolean =>
      findQuarantined(after.quarantine, name, ref) !== undefined &&
      findQuarantined(before?.quarantine ?? [], name, ref) === undefined
    const texts = explainFunction(old.get(name), now.get(name), isNewlyBad)
    differences.push(...texts.map((text) => ({ function: name, text })))
  }
  const wasListed = new Set((before?.quarantine ?? []).map(key))
  const isListed = new Set(after.quarantine.map(key))
  for (const entry of after.quarantine) {
    if (wasListed.has(key(entry))) continue
    differences.push({ function: entry.function, text: `${pairName(entry)} quarantined` })
  }
  for (const entry of before?.quarantine ?? []) {
    if (isListed.has(key(entry))) continue
    differences.push({ function: entry.function, text: `${pairName(entry)} may serve again` })
  }
  return differences
}

/**
 * What one manifest of the history changed; null when that cannot be told any more.
 *
 * @param before - The one before it; undefined when it is the first.
 */
export function changesOf(
  current: { readonly state: EnvironmentState | null },
  before: { readonly state: EnvironmentState | null } | undefined,
): readonly Difference[] | null {
  if (current.state === null || before?.state === null) return null
  return explainChange(before?.state ?? null, current.state)
}

function key(entry: QuarantineEntry): string {
  return `${entry.function} ${pairName(entry)}`
}

function explainFunction(
  before: FunctionState | undefined,
  after: FunctionState | undefined,
  isNewlyBad: (ref: ReleaseRef) => boolean,
): readonly string[] {
  if (after === undefined) return before === undefined ? [] : explainRemoval(before)
  const at = shortDigest(after.stable.release)
  if (before === undefined) return [`added at ${at}`]
  const texts: string[] = []
  if (before.stable.release !== after.stable.release) {
    texts.push(`${shortDigest(before.stable.release)} → ${at}`)
  }
  return [
    ...texts,
    ...explainEnd(before, after, isNewlyBad),
    ...explainStep(before.rollout, after.rollout),
    ...explainApproval(before.rollout, after.rollout),
    ...holdMoves(before.hold, after.hold).map((move) => explainHold(move, after)),
  ]
}

function explainRemoval({ rollout }: FunctionState): readonly string[] {
  const removed = 'removed: deleted or renamed in Git'
  if (rollout === null) return [removed]
  return [removed, `canary ${shortDigest(rollout.canary.release)} ended with its function`]
}

/** Why a canary is none any more; nothing while it is. */
function explainEnd(
  before: FunctionState,
  after: FunctionState,
  isNewlyBad: (ref: ReleaseRef) => boolean,
): readonly string[] {
  const canary = before.rollout?.canary
  // Signed again by another key it is the same canary.
  if (canary === undefined || (after.rollout && isSamePair(canary, after.rollout.canary))) return []
  const named = `canary ${shortDigest(canary.release)}`
  if (isSamePair(canary, after.stable)) return [`${named} promoted`]
  if (isNewlyBad(canary)) return [`${named} aborted`]
  const isBack = after.rollout === null && isSamePair(before.stable, after.stable)
  return [isBack ? `${named} ended: Git is back at stable` : `${named} overtaken by the next merge`]
}

function explainStep(
  before: FunctionState['rollout'],
  after: FunctionState['rollout'],
): readonly string[] {
  if (after === null) return []
  const isSame =
    before?.canary.release === after.canary.release && before.weightPercent === after.weightPercent
  return isSame ? [] : [`canary ${shortDigest(after.canary.release)} at ${after.weightPercent} %`]
}

function explainApproval(
  before: FunctionState['rollout'],
  after: FunctionState['rollout'],
): readonly string[] {
  const approval = newApproval(before, after)
  if (after === null || approval === null) return []
  return [`canary ${shortDigest(after.canary.release)}: ${approval.text}`]
}

function explainHold({ kind, hold }: HoldMove, after: FunctionState): string {
  switch (kind) {
    case 'stopped':
      return 'stopped'
    case 'stop-ended':
      return `stop of ${hold.by} ended`
    case 'held': {
      const when = after.hold?.mode === 'stopped' ? ' once it is resumed' : ''
      return `held at ${shortDigest(after.stable.release)}${when}`
    }
    case 'held-again':
      return `held again by ${hold.by}`
    case 'hold-ended':
      return `hold of ${hold.by} ended`
    default:
      return kind satisfies never
  }
}
