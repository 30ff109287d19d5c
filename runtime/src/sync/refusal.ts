import type { RuntimeErrorCode } from '../errors.ts'
import { RuntimeError } from '../errors.ts'
import type { Digest } from '../manifest/digest.ts'
import type { ReleaseRef } from '../manifest/group-document.ts'
import { pause } from '../pause.ts'
import type { DesiredState } from './desired-state.ts'
import type { FailureMemory } from './failure-memory.ts'
import type { FunctionPlan } from './plan-activation.ts'

/** A desired release that does not serve here, and why. */
export interface Refusal {
  readonly side: 'stable' | 'canary'
  readonly release: Digest
  /** Of the rollout whose canary it is; null of a stable. */
  readonly salt: string | null
  readonly code: RuntimeErrorCode
  /** What happened and what to do. */
  readonly message: string
  /** Epoch milliseconds. */
  readonly since: number
}

export interface RefusalSources {
  readonly plans: readonly FunctionPlan[]
  readonly desired: DesiredState
  /** Functions that lost their new route. */
  readonly conflicts: ReadonlyMap<string, RuntimeError>
  readonly failures: Pick<FailureMemory, 'get'>
  /** What was known before: a refusal that lasts stays the same object. */
  readonly before: ReadonlyMap<string, readonly Refusal[]>
  /** Epoch milliseconds. */
  readonly now: number
}

/**
 * All refusals after an activation, by function; functions without one are absent. Lets others have
 * their turn in between.
 */
export async function collectRefusals(
  sources: RefusalSources,
): Promise<ReadonlyMap<string, readonly Refusal[]>> {
  const { plans, desired, before, now } = sources
  const all = new Map<string, readonly Refusal[]>()
  for (const plan of plans) {
    await pause()
    const state = desired.functions.get(plan.function)
    const sides = [
      { side: 'stable', ref: state?.stable, salt: null },
      { side: 'canary', ref: state?.rollout?.canary, salt: state?.rollout?.salt ?? null },
    ] as const
    const refusals = sides.flatMap(({ side, ref, salt }): Refusal[] => {
      const fault = ref === undefined ? null : faultOf(plan, side, ref, sources)
      if (ref === undefined || fault === null) return []
      const { code, message } = fault
      const known = before.get(plan.function)?.find((each) => {
        const isSame = each.side === side && each.release === ref.release && each.salt === salt
        return isSame && each.code === code
      })
      return [known ?? { side, release: ref.release, salt, code, message, since: now }]
    })
    if (refusals.length > 0) all.set(plan.function, refusals)
  }
  return all
}

function faultOf(
  plan: FunctionPlan,
  side: Refusal['side'],
  ref: ReleaseRef,
  { conflicts, failures }: RefusalSources,
): RuntimeError | null {
  for (const refused of plan.refused) {
    if (refused.side === side && refused.why === 'tripped') return tripped(plan.function, side)
    if (refused.side !== side || refused.why !== 'quarantined') continue
    return new RuntimeError(
      'RELEASE_QUARANTINED',
      `${plan.function}: this release was quarantined by ${refused.entry.by}: ${refused.entry.reason}. Publish a fixed commit, or clear the quarantine.`,
    )
  }
  const conflict = side === 'stable' ? conflicts.get(plan.function) : undefined
  return conflict ?? failures.get(ref.release)?.error ?? null
}

function tripped(name: string, side: Refusal['side']): RuntimeError {
  return side === 'canary'
    ? new RuntimeError(
        'CANARY_TRIPPED',
        `${name}: this canary did worse than stable here, which serves all calls again. Abort it, or publish a fix.`,
      )
    : new RuntimeError(
        'STABLE_TRIPPED',
        `${name}: this release failed too often after its promotion; here the one before it serves again. Roll back, or publish a fix.`,
      )
}
