import { findQuarantined } from '@needle-faas/runtime/manifest'
import { toFunctionStates } from '../plan/function-states.ts'
import { type Facts, newestState } from './facts.ts'
import { readOrigins } from './read-origins.ts'
import { tellRelease, type TracedRelease } from './release-story.ts'
import type { ReleaseNow, ReleaseTrace } from './trace.ts'
import { concerning, tellHistory } from './traced-manifest.ts'
import { unknownOf } from './unknown-of.ts'

export async function traceRelease(traced: TracedRelease, facts: Facts): Promise<ReleaseTrace> {
  const { question } = facts
  const [origin] = await readOrigins([traced], question)
  if (origin === undefined) throw new TypeError('a release without its origin')
  const manifests = tellHistory(facts, (current, before) =>
    current.state === null || before?.state === null
      ? null
      : tellRelease(traced, before?.state ?? null, current.state),
  )
  return {
    kind: 'release',
    environment: question.access.environment,
    origin,
    now: releaseNow(traced, facts),
    history: concerning(manifests, traced.function),
    unknown: unknownOf([origin], manifests, facts),
  }
}

function releaseNow(
  { function: name, ref }: TracedRelease,
  { history, serving }: Facts,
): ReleaseNow {
  const state = newestState(history)
  const desired = toFunctionStates(state?.groups ?? {}).get(name)
  const isStable = desired?.stable.release === ref.release
  const isCanary = desired?.rollout?.canary.release === ref.release
  const isPrevious = desired?.previous.some(({ release }) => release === ref.release) === true
  const canaryPercent = desired?.rollout?.weightPercent ?? 0
  return {
    serves: isStable ? 'stable' : isCanary ? 'canary' : isPrevious ? 'previous' : 'nothing',
    weightPercent: isStable ? 100 - canaryPercent : isCanary ? canaryPercent : 0,
    hold: desired?.hold ?? null,
    quarantine: findQuarantined(state?.quarantine ?? [], name, ref) ?? null,
    instances: serving(name).filter(
      ({ stable, canary }) => stable === ref.release || canary === ref.release,
    ),
  }
}
