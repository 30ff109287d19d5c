import type { FunctionState } from '@needle-faas/runtime/manifest'
import type { ReportReading } from '../environment-state/instance-reports.ts'
import type { MetricReading } from './metric-reading.ts'
import type { Fleet } from './screen-reports.ts'

/** All that a decision about one function rests on. */
export interface RolloutQuestion {
  readonly environment: string
  /** Full name. */
  readonly function: string
  readonly state: FunctionState
  /** Of the newest manifest. */
  readonly epoch: number
  readonly fleet: Fleet
  /** What was read of each instance the last time. */
  readonly before: ReadonlyMap<string, ReportReading>
  /** Answer to the policy's own query; null when there is none. */
  readonly metric: MetricReading | null
  /** When the step began, by the clock of the store; null when that is not known. */
  readonly stepBegan: number | null
  /** By the clock of the store. */
  readonly now: number
}
