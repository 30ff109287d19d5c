import type { DurationHistogram } from './duration-histogram.ts'

/**
 * One metric with all its samples, whoever renders it. Name, unit and attributes are spelled as
 * OpenTelemetry has them; Prometheus' spelling follows from that.
 */
export type MetricFamily = NumberFamily | HistogramFamily

interface Described {
  /** Lower case, its parts joined by dots, as `faas.invoke_duration`. */
  readonly name: string
  /** UCUM; what is counted stands in braces. */
  readonly unit: 's' | 'By' | '%' | `{${string}}`
  readonly help: string
}

export interface NumberFamily extends Described {
  readonly type: 'counter' | 'gauge'
  readonly samples: readonly Sample<number>[]
}

export interface HistogramFamily extends Described {
  readonly type: 'histogram'
  readonly unit: 's'
  readonly samples: readonly Sample<DurationHistogram>[]
}

export interface Sample<Value> {
  readonly attributes: Readonly<Record<string, string>>
  readonly value: Value
}
