import {
  findQuarantined,
  type FunctionState,
  type QuarantineEntry,
  type ReleaseRef,
  type Rollout,
  type RolloutStep,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { findFreeze } from '../config/freeze.ts'
import type { RolloutPlan } from '../config/rollout-policy.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { endsHold } from './ends-hold.ts'
import { toFunctionStates } from './function-states.ts'
import { nextVersion } from './next-version.ts'
import { isSamePair, pairName, previousAfter } from './pair.ts'
import type { Change, Kept, Plan, Refusal } from './plan.ts'
import { rollbackWindow, withoutRollbackWindow } from './rollback-window.ts'

export interface FunctionsInput {
  readonly state: EnvironmentState
  /** What Git says: every function at the commit, by full name. */
  readonly wanted: ReadonlyMap<string, ReleaseRef>
  /** What a release of the commit is called in words. Default: the first digits of its digest. */
  readonly nameOf?: ((wanted: ReleaseRef) => string) | undefined
  /** Steps for every changed function in the place of those of its policy; null: as the policy says. */
  readonly canarySteps: readonly RolloutStep[] | null
  /** How changes of each function go out; one that is not there goes to everyone at once. */
  readonly policies: ReadonlyMap<string, RolloutPlan>
  /** Epoch milliseconds. */
  readonly now: number
  /** Fresh for each publish: what begins with it is met by the same callers. */
  readonly salt: string
}

export interface FunctionsPlan extends Pick<Plan, 'changes' | 'kept' | 'refusals'> {
  /** Every function as it should be, by full name. */
  readonly next: ReadonlyMap<string, FunctionState>
}

/** Git − quarantine − holds, compared with what each function of the environment is. */
export function planFunctions(input: FunctionsInput): FunctionsPlan {
  const current = toFunctionStates(input.state.groups)
  const next = new Map(current)
  const changes: Change[] = []
  const kept: Kept[] = []
  const refusals: Refusal[] = []

  for (const name of new Set([...input.wanted.keys(), ...current.keys()].toSorted())) {
    const step = planFunction(name, current.get(name), input)
    if (step.kept) kept.push(step.kept)
    if (step.refusal) refusals.push(step.refusal)
    changes.push(...step.changes.map(({ kind, text }) => ({ kind, text, function: name })))
    if (step.next === null) next.delete(name)
    else if (step.next !== undefined) next.set(name, step.next)
  }
  return { next, changes, kept, refusals }
}

interface FunctionPlan {
  /** Absent: as it is; null: removed. */
  readonly next?: FunctionState | null
  readonly changes: readonly Omit<Change, 'function'>[]
  readonly kept?: Kept
  readonly refusal?: Refusal
}

const unchanged: FunctionPlan = { changes: [] }

function planFunction(
  name: string,
  state: FunctionState | undefined,
  input: FunctionsInput,
): FunctionPlan {
  const wanted = input.wanted.get(name)
  const quarantined = wanted && findQuarantined(input.state.quarantine, name, wanted)

  if (state?.hold && !isHoldOver(state, wanted, quarantined)) return keepHeld(name, state, wanted)
  if (wanted === undefined) {
    return { next: null, changes: [{ kind: 'removed', text: 'removed: Git no longer has it' }] }
  }
  if (quarantined) return { changes: [], refusal: quarantineRefusal(name, wanted, quarantined) }
  if (state === undefined) {
    return {
      next: { stable: wanted, previous: [], rollout: null, hold: null },
      changes: [{ kind: 'added', text: `added at ${nameWanted(wanted, input)}` }],
    }
  }

  const moved = planMove(name, { ...state, hold: null }, wanted, input)
  if (!state.hold) return moved
  return {
    next: moved.next ?? { ...state, hold: null },
    changes: [
      { kind: 'hold-ended', text: `hold of ${state.hold.by} ended: Git has moved on from it` },
      ...moved.changes,
    ],
  }
}

/**
 * The hold of a rollback ends with the merge that makes Git say something else than what was
 * rolled back: the revert, or the fix. A function deleted in Git meanwhile stays held.
 */
function isHoldOver(
  state: FunctionState,
  wanted: ReleaseRef | undefined,
  quarantined: QuarantineEntry | undefined,
): boolean {
  return state.hold?.endsWithMerge === true && wanted !== undefined && !quarantined
}

function planMove(
  name: string,
  state: FunctionState,
  wanted: ReleaseRef,
  input: FunctionsInput,
): FunctionPlan {
  const at = nameWanted(wanted, input)
  if (isSamePair(wanted, state.stable)) {
    if (state.rollout === null) return unchanged
    return {
      next: { ...state, rollout: null },
      changes: [{ kind: 'canary-ended', text: `canary ended: Git is back at stable ${at}` }],
    }
  }
  if (state.rollout && isSamePair(wanted, state.rollout.canary)) return unchanged

  const quarantine = { function: name, entries: input.state.quarantine }
  const proven = state.previous.find((ref) => isSamePair(ref, wanted))
  const toStable = (stable: ReleaseRef): FunctionState => ({
    ...withoutRollbackWindow(state),
    stable,
    previous: previousAfter(state, stable, quarantine),
    rollout: null,
  })
  if (proven) {
    return {
      next: toStable(proven),
      changes: [
        {
          kind: 'returned',
          text: `back to ${shortDigest(proven.release)}, which served before: at once`,
        },
      ],
    }
  }

  const rollout = startRollout(name, wanted, input)
  if (rollout === null) {
    const from = shortDigest(state.stable.release)
    const next = toStable(wanted)
    return {
      next: {
        ...next,
        ...rollbackWindow({
          previous: next.previous,
          now: input.now,
          version: nextVersion(input.state),
        }),
      },
      changes: [{ kind: 'updated', text: `${from} → ${at}` }],
    }
  }
  const weight = describeStart(rollout, input.now)
  return {
    next: { ...state, rollout },
    changes: [
      state.rollout === null
        ? { kind: 'canary-started', text: `canary ${at} ${weight}` }
        : {
            kind: 'canary-replaced',
            text: `canary ${at} ${weight} replaces ${shortDigest(state.rollout.canary.release)}`,
          },
    ],
  }
}

/** A first step that is frozen, or wants approval, begins with nobody: the controller goes on from there. */
function startRollout(name: string, canary: ReleaseRef, input: FunctionsInput): Rollout | null {
  const policy = input.policies.get(name)
  const steps = input.canarySteps ?? policy?.steps
  const [first] = steps ?? []
  if (steps === undefined || first === undefined) return null
  const waits = first.approval === true || findFreeze(policy?.freeze, input.now) !== null
  return {
    ...policy,
    canary,
    steps,
    step: 0,
    weightPercent: waits ? 0 : first.weightPercent,
    salt: input.salt,
    since: new Date(input.now).toISOString(),
    sinceVersion: nextVersion(input.state),
  }
}

function describeStart(rollout: Rollout, now: number): string {
  if (rollout.weightPercent > 0) return `at ${rollout.weightPercent} %`
  const freeze = findFreeze(rollout.freeze, now)
  return freeze === null
    ? 'at 0 % until its first step is approved'
    : `at 0 % until the freeze ends (${freeze.reason})`
}

function nameWanted(wanted: ReleaseRef, { nameOf }: FunctionsInput): string {
  return nameOf === undefined ? shortDigest(wanted.release) : nameOf(wanted)
}

function keepHeld(
  name: string,
  state: FunctionState,
  wanted: ReleaseRef | undefined,
): FunctionPlan {
  const { hold } = state
  if (hold === null) return unchanged
  const agrees =
    wanted !== undefined && hold.mode === 'revision' && isSamePair(wanted, state.stable)
  if (agrees) return unchanged
  const what = hold.mode === 'stopped' ? 'stopped' : `held at ${shortDigest(state.stable.release)}`
  return {
    changes: [],
    kept: {
      function: name,
      by: hold.by,
      reason: hold.reason,
      text: `${what} by ${hold.by} since ${hold.since}: ${hold.reason} (${endsHold(name, hold)} ends it)`,
    },
  }
}

function quarantineRefusal(name: string, wanted: ReleaseRef, entry: QuarantineEntry): Refusal {
  const pair = pairName(wanted)
  return {
    code: 'PAIR_QUARANTINED',
    function: name,
    message: `${name} at ${pair} was quarantined by ${entry.by} on ${entry.since}: ${entry.reason}. Merge a fix or a revert, or allow it again with: needle clear ${name} --quarantine ${pair} --reason "…"`,
  }
}
