import {
  type FunctionState,
  type QuarantineEntry,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { toFunctionStates } from './function-states.ts'
import { pairName } from './pair.ts'

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
    const texts = explainFunction(old.get(name), now.get(name))
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
): string[] {
  if (after === undefined) return before === undefined ? [] : ['removed']
  const at = shortDigest(after.stable.release)
  if (before === undefined) return [`added at ${at}`]
  const texts: string[] = []
  if (before.stable.release !== after.stable.release) {
    texts.push(`${shortDigest(before.stable.release)} → ${at}`)
  }
  texts.push(...explainRollout(before.rollout, after.rollout))
  if (after.hold !== null && after.hold.since !== before.hold?.since) {
    texts.push(after.hold.mode === 'stopped' ? 'stopped' : `held at ${at}`)
  }
  if (after.hold === null && before.hold !== null) texts.push('hold ended')
  return texts
}

function explainRollout(
  before: FunctionState['rollout'],
  after: FunctionState['rollout'],
): string[] {
  if (after === null) {
    return before === null ? [] : [`canary ${shortDigest(before.canary.release)} ended`]
  }
  const isSame =
    before?.canary.release === after.canary.release && before.weightPercent === after.weightPercent
  return isSame ? [] : [`canary ${shortDigest(after.canary.release)} at ${after.weightPercent} %`]
}
