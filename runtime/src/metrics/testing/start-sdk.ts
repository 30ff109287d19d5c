import { metrics } from '@opentelemetry/api'
import {
  DataPointType,
  type MetricData,
  MeterProvider,
  MetricReader,
} from '@opentelemetry/sdk-metrics'
import { onTestFinished } from 'vitest'

/** The OpenTelemetry SDK, as a host sets it up, and what it would export. */
export interface TestSdk {
  readonly provider: MeterProvider
  /** Names of all instruments that have anything to tell, with what they tell. */
  collect(): Promise<ReadonlyMap<string, Collected>>
}

/** One instrument at one collection. */
export interface Collected extends Pick<MetricData['descriptor'], 'name' | 'unit'> {
  readonly kind: 'counter' | 'gauge' | 'histogram'
  readonly points: readonly Point[]
}

export interface Point {
  readonly attributes: Readonly<Record<string, unknown>>
  /** Sum of a histogram. */
  readonly value: number
  /** Of a histogram: its bounds, and how often each bucket was hit. */
  readonly buckets: {
    readonly bounds: readonly number[]
    readonly counts: readonly number[]
  } | null
}

/** Registers an SDK with the API until the test ends. */
export function startSdk(): TestSdk {
  const reader = new TestReader()
  const provider = new MeterProvider({ readers: [reader] })
  metrics.disable()
  metrics.setGlobalMeterProvider(provider)
  onTestFinished(async () => {
    metrics.disable()
    await provider.shutdown()
  })
  return {
    provider,
    collect: async () => {
      const { resourceMetrics, errors } = await reader.collect()
      if (errors.length > 0) throw new AggregateError(errors, 'The collection failed')
      const all = resourceMetrics.scopeMetrics
        .filter(({ scope }) => scope.name === '@needle-faas/runtime')
        .flatMap((scope) => scope.metrics.map(toCollected))
      return new Map(all.map((each) => [each.name, each]))
    },
  }
}

class TestReader extends MetricReader {
  protected override async onShutdown(): Promise<void> {}
  protected override async onForceFlush(): Promise<void> {}
}

function toCollected(data: MetricData): Collected {
  const { name, unit } = data.descriptor
  if (data.dataPointType === DataPointType.EXPONENTIAL_HISTOGRAM) {
    throw new TypeError(`${name} has no bounds`)
  }
  if (data.dataPointType === DataPointType.HISTOGRAM) {
    const points = data.dataPoints.map(({ attributes, value: { sum = 0, buckets } }) => ({
      attributes,
      value: sum,
      buckets: { bounds: buckets.boundaries, counts: buckets.counts },
    }))
    return { name, unit, kind: 'histogram', points }
  }
  return {
    name,
    unit,
    kind: data.dataPointType === DataPointType.SUM ? 'counter' : 'gauge',
    points: data.dataPoints.map(({ attributes, value }) => ({ attributes, value, buckets: null })),
  }
}
