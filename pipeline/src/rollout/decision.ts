import type { DecisionEvidence } from '@needle-faas/runtime/manifest'
import type { MetricReading } from './metric-reading.ts'
import type { Pool } from './pool-reports.ts'
import type { RefusedReport } from './screen-reports.ts'

/** Decisions that change the manifest. */
export type Move = 'step' | 'promote' | 'abort' | 'rollback'

/**
 * `pending`: nothing was measured yet. `running`: the step goes on. `successful`: it has passed.
 * `failed`: it is bad. `error`: measuring broke. `inconclusive`: there is too little to tell.
 */
export type Verdict = 'pending' | 'running' | 'successful' | 'failed' | 'error' | 'inconclusive'

/** What becomes of one function now, and why. */
export interface Decision {
  /** Full name. */
  readonly function: string
  /** `wait`: until its time has come. `hold`: until something or somebody else lets it go on. */
  readonly kind: Move | 'wait' | 'hold'
  readonly verdict: Verdict
  /** For people. */
  readonly text: string
  readonly evidence: DecisionEvidence
  /** Reports that were not believed, and why. */
  readonly refused: readonly RefusedReport[]
}

export function isMove(kind: Decision['kind']): kind is Move {
  return kind !== 'wait' && kind !== 'hold'
}

/** A decision without what it rests on. */
export type Outcome = Pick<Decision, 'kind' | 'verdict' | 'text'>

export function toDecision(
  name: string,
  { evidence, refused }: Pool,
  outcome: Outcome,
  metric: MetricReading | null = null,
): Decision {
  const measured = metric?.status === 'value' ? { ...evidence, metric: metric.value } : evidence
  return { function: name, ...outcome, evidence: measured, refused }
}
