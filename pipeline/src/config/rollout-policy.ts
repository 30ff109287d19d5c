import {
  type AnalysisLimits,
  defaultAnalysisLimits,
  defaultRollbackWindowMs,
  type FreezeWindow,
  type PrometheusCheck,
  type RolloutStep,
  type StickyKeySource,
} from '@needle-faas/runtime/manifest'
import type { NeedleConfig } from './needle-config.ts'

/** How changes of a function reach everyone. `{}` takes the default steps. */
export interface RolloutPolicy {
  /** Weights rise; after the last step everyone gets it. Default: 10 % and 50 %, five minutes each. */
  readonly steps?: readonly RolloutStep[]
  /** When a canary counts as bad; what is left out is as `defaultAnalysisLimits` says. */
  readonly analysis?: Partial<AnalysisLimits>
  /** When no step is taken, neither the first nor the last. Going back is never frozen. */
  readonly freeze?: readonly FreezeWindow[]
  /** How long after its promotion a release that turns bad goes back by itself. Default 10 minutes; 0: never. */
  readonly rollbackWindowMs?: number
  /** One more thing a canary must pass, asked of the Prometheus that `needle rollout` is given. */
  readonly prometheus?: PrometheusCheck
  /**
   * What a caller is known by, so that all their calls meet the same side: exactly one of
   * `httpHeaderName`, `httpCookie` and `caller`. A request without it, and all where no policy names
   * one, go by the host's `stickyKey` option.
   */
  readonly stickyKey?: StickyKeySource
}

/** A policy with every default filled in, as a build carries it to the manifest. */
export interface RolloutPlan {
  readonly steps: readonly RolloutStep[]
  readonly analysis: AnalysisLimits
  readonly rollbackWindowMs: number
  readonly freeze?: readonly FreezeWindow[] | undefined
  readonly prometheus?: PrometheusCheck | undefined
  readonly stickyKey?: StickyKeySource | undefined
}

const defaultBakeMs = 5 * 60 * 1000

/** What a policy of `{}` means. */
export const defaultSteps: readonly RolloutStep[] = [
  { weightPercent: 10, bakeMs: defaultBakeMs },
  { weightPercent: 50, bakeMs: defaultBakeMs },
]

/**
 * How changes of a function go out: its group's policy, overridden key by key by its own. Null:
 * it has none, or `false`, and changes go to everyone at once.
 */
export function rolloutPlanOf(
  config: Pick<NeedleConfig, 'policies'>,
  functionName: string,
): RolloutPlan | null {
  const [group = ''] = functionName.split('/')
  const ofGroup = config.policies?.[group]?.rollout
  const own = config.policies?.[functionName]?.rollout
  if (own === false || (own === undefined && !ofGroup)) return null
  const policy: RolloutPolicy = { ...ofGroup, ...own }
  return {
    steps: policy.steps ?? defaultSteps,
    analysis: {
      ...defaultAnalysisLimits,
      ...(ofGroup ? ofGroup.analysis : {}),
      ...own?.analysis,
    },
    rollbackWindowMs: policy.rollbackWindowMs ?? defaultRollbackWindowMs,
    ...(policy.freeze !== undefined && { freeze: policy.freeze }),
    ...(policy.prometheus !== undefined && { prometheus: policy.prometheus }),
    ...(policy.stickyKey !== undefined && { stickyKey: policy.stickyKey }),
  }
}
