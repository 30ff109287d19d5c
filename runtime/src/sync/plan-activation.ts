import type { Digest } from '../manifest/digest.ts'
import type { FunctionState, ReleaseRef, Rollout } from '../manifest/group-document.ts'
import { type AnalysisLimits, defaultAnalysisLimits } from '../manifest/analysis-limits.ts'
import { findQuarantined, type QuarantineEntry } from '../manifest/quarantine.ts'
import type { StickyKeySource } from '../manifest/sticky-key-source.ts'
import { pause } from '../pause.ts'

/** A canary and whom it serves. */
export interface CanaryTarget {
  readonly ref: ReleaseRef
  readonly weightPercent: number
  readonly salt: string
  /** When it counts as bad. */
  readonly analysis: AnalysisLimits
  /** Where its policy says who is asking. */
  readonly stickyKey?: StickyKeySource | undefined
}

/** Tells a rollout of a function from all others. */
export type RolloutIdentity = Pick<Rollout, 'canary' | 'salt'>

/** What serves one function now. */
export interface ServingState {
  readonly stable: ReleaseRef | null
  readonly canary: CanaryTarget | null
  readonly stopped: boolean
}

export interface ActivationInput {
  /** By function name. */
  readonly serving: ReadonlyMap<string, ServingState>
  readonly desired: ReadonlyMap<string, FunctionState>
  readonly quarantine: readonly QuarantineEntry[]
  /** Releases that served before a restart, for functions that serve nothing yet. */
  readonly lastGood?: ReadonlyMap<string, ReleaseRef> | undefined
  /** Releases that failed here and are not to be tried again yet. */
  readonly failed?: ReadonlySet<Digest> | undefined
  /** Whether the canary of this rollout was stopped here. */
  readonly isTripped?: ((functionName: string, rollout: RolloutIdentity) => boolean) | undefined
  /** Whether the stable of this state failed here within its rollback window. */
  readonly isStableTripped?: ((functionName: string, state: FunctionState) => boolean) | undefined
  /** How many of `previous` stay loaded per function. */
  readonly warmPrevious: number
}

export type RefusedRelease = {
  readonly side: 'stable' | 'canary'
  readonly ref: ReleaseRef
} & (
  | { readonly why: 'quarantined'; readonly entry: QuarantineEntry }
  | { readonly why: 'failed' }
  | { readonly why: 'tripped' }
)

/**
 * - `keep`: serves exactly what is desired.
 * - `activate`: the first of `stable` that loads serves, with `canary` beside it.
 * - `retire`: not desired any more.
 */
export interface FunctionPlan {
  readonly function: string
  readonly action: 'keep' | 'activate' | 'retire'
  /**
   * In order of preference: what is desired, what serves now, what served before a restart, what was
   * proven before. A stable that failed within its rollback window comes last. Empty when all of them
   * are quarantined: then nothing may serve.
   */
  readonly stable: readonly ReleaseRef[]
  readonly canary: CanaryTarget | null
  readonly stopped: boolean
  /** Releases kept loaded although they serve nobody, so that a rollback compiles nothing. */
  readonly warm: readonly ReleaseRef[]
  /** Desired releases that are passed over. */
  readonly refused: readonly RefusedRelease[]
}

/**
 * What to do about every function that is desired or serves, sorted by name. Does nothing itself, and
 * lets others have their turn in between.
 */
export async function planActivation(input: ActivationInput): Promise<readonly FunctionPlan[]> {
  const names = new Set([...input.desired.keys(), ...input.serving.keys()])
  const plans: FunctionPlan[] = []
  for (const name of [...names].toSorted()) {
    await pause()
    const desired = input.desired.get(name)
    plans.push(desired === undefined ? retire(name) : planFunction(name, desired, input))
  }
  return plans
}

function retire(name: string): FunctionPlan {
  return {
    function: name,
    action: 'retire',
    stable: [],
    canary: null,
    stopped: false,
    warm: [],
    refused: [],
  }
}

function planFunction(name: string, desired: FunctionState, input: ActivationInput): FunctionPlan {
  const serving = input.serving.get(name)
  const quarantined = (ref: ReleaseRef): QuarantineEntry | undefined =>
    findQuarantined(input.quarantine, name, ref)
  const refused: RefusedRelease[] = []

  const isAllowed = (side: 'stable' | 'canary', ref: ReleaseRef): boolean => {
    const entry = quarantined(ref)
    if (entry !== undefined) {
      refused.push({ side, ref, why: 'quarantined', entry })
      return false
    }
    if (input.failed?.has(ref.release) === true) {
      refused.push({ side, ref, why: 'failed' })
      return false
    }
    return true
  }

  const isStableTripped = input.isStableTripped?.(name, desired) === true
  if (isStableTripped) refused.push({ side: 'stable', ref: desired.stable, why: 'tripped' })
  const wanted = isAllowed('stable', desired.stable) ? [desired.stable] : []
  const fallbacks =
    serving?.stable === undefined || serving.stable === null
      ? [input.lastGood?.get(name), ...desired.previous]
      : [serving.stable, ...desired.previous]
  const usable = fallbacks.filter(
    (ref) =>
      ref !== undefined &&
      quarantined(ref) === undefined &&
      input.failed?.has(ref.release) !== true &&
      !(isStableTripped && ref.release === desired.stable.release),
  )
  const stable = uniqueRefs(isStableTripped ? [...usable, ...wanted] : [...wanted, ...usable])

  const rollout = desired.rollout
  const isTripped = rollout !== null && input.isTripped?.(name, rollout) === true
  if (isTripped) refused.push({ side: 'canary', ref: rollout.canary, why: 'tripped' })
  const canary =
    rollout !== null && !isTripped && isAllowed('canary', rollout.canary) ? toTarget(rollout) : null
  const stopped = desired.hold?.mode === 'stopped'

  const isServed =
    serving !== undefined &&
    serving.stopped === stopped &&
    serving.stable?.release === stable[0]?.release &&
    isSameCanary(serving.canary, canary)

  return {
    function: name,
    action: isServed ? 'keep' : 'activate',
    stable,
    canary,
    stopped,
    warm: desired.previous
      .filter((ref) => quarantined(ref) === undefined)
      .slice(0, input.warmPrevious),
    refused,
  }
}

function toTarget({ canary, weightPercent, salt, analysis, stickyKey }: Rollout): CanaryTarget {
  return {
    ref: canary,
    weightPercent,
    salt,
    analysis: analysis ?? defaultAnalysisLimits,
    ...(stickyKey !== undefined && { stickyKey }),
  }
}

function isSameCanary(a: CanaryTarget | null, b: CanaryTarget | null): boolean {
  return (
    a?.ref.release === b?.ref.release &&
    a?.weightPercent === b?.weightPercent &&
    a?.salt === b?.salt
  )
}

function uniqueRefs(refs: readonly (ReleaseRef | undefined)[]): ReleaseRef[] {
  const byRelease = new Map<Digest, ReleaseRef>()
  for (const ref of refs) {
    if (ref !== undefined && !byRelease.has(ref.release)) byRelease.set(ref.release, ref)
  }
  return [...byRelease.values()]
}
