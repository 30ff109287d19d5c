import {
  type Attributes,
  type BatchObservableCallback,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  metrics,
  type Observable,
} from '@opentelemetry/api'
import { callFamilies } from './call-families.ts'
import { bucketBoundsMs } from './duration-histogram.ts'
import type { MetricFamily, Sample } from './metric-family.ts'
import type { MetricsRegistry, RevisionSeries } from './metrics-registry.ts'

/** Offers the metrics of a runtime to the OpenTelemetry SDK the host has set up, if it has. */
export interface OpenTelemetryMetrics {
  /**
   * Looks for the meter provider of the host. The API tells nobody of one that comes late, or is
   * replaced, and has no stand-in that could be asked before; so this is to be called now and then.
   */
  look(): void
  /** Whatever calls came to is told once more, at the next collection; then nothing. Idempotent. */
  close(): void
}

export interface OpenTelemetryMetricsOptions {
  readonly registry: MetricsRegistry
  /** What the instance says of itself. */
  readonly statusFamilies: () => readonly MetricFamily[]
  /** On every sample: tells it from those of other runtimes of the process. */
  readonly identity: Attributes
}

export function createOpenTelemetryMetrics(
  options: OpenTelemetryMetricsOptions,
): OpenTelemetryMetrics {
  let provider: MeterProvider | null = null
  let attached: Attached | null = null
  let isClosed = false

  return {
    look: () => {
      const current = metrics.getMeterProvider()
      if (isClosed || current === provider) return
      attached?.detach()
      attached = null
      provider = current
      const meter = current.getMeter('@needle-faas/runtime')
      if (meter !== createNoopMeter()) attached = attach(meter, options)
    },
    close: () => {
      isClosed = true
      attached?.finish()
      attached = null
    },
  }
}

interface Attached {
  /** To be asked no more. */
  detach(): void
  /** To be asked once more: what was counted since the last collection would be lost. */
  finish(): void
}

/**
 * Counters and gauges are read when the SDK collects. A histogram cannot be: the API takes single
 * durations only, and so each is recorded there at once, from the moment a provider is found.
 */
function attach(meter: Meter, options: OpenTelemetryMetricsOptions): Attached {
  const { registry, statusFamilies } = options
  const complete = completion(options.identity)
  const instruments = createInstruments(meter, [...callFamilies(registry), ...statusFamilies()])
  const observables = [...instruments.observables.values()]
  let isLast = false

  const observe: BatchObservableCallback = (result) => {
    for (const family of [...callFamilies(registry), ...(isLast ? [] : statusFamilies())]) {
      const instrument = instruments.observables.get(family.name)
      if (instrument === undefined || family.type === 'histogram') continue
      for (const sample of family.samples) {
        result.observe(instrument, sample.value, complete(sample))
      }
    }
    // Not within the SDK's walk over all callbacks, which would miss the one after this.
    if (isLast) queueMicrotask(remove)
  }
  const remove = (): void => meter.removeBatchObservableCallback(observe, observables)
  const stopMirroring = mirror(registry, instruments.histograms, complete)
  meter.addBatchObservableCallback(observe, observables)

  return {
    detach: () => {
      stopMirroring()
      remove()
    },
    finish: () => {
      stopMirroring()
      isLast = true
    },
  }
}

interface Instruments {
  readonly observables: ReadonlyMap<string, Observable>
  readonly histograms: ReadonlyMap<string, Histogram>
}

function createInstruments(meter: Meter, families: readonly MetricFamily[]): Instruments {
  const observables = new Map<string, Observable>()
  const histograms = new Map<string, Histogram>()
  for (const { name, type, unit, help: description } of families) {
    switch (type) {
      case 'counter':
        observables.set(name, meter.createObservableCounter(name, { unit, description }))
        break
      case 'gauge':
        observables.set(name, meter.createObservableGauge(name, { unit, description }))
        break
      case 'histogram':
        histograms.set(name, meter.createHistogram(name, { unit, description, advice }))
        break
    }
  }
  return { observables, histograms }
}

const advice = { explicitBucketBoundaries: bucketBoundsMs.map((boundMs) => boundMs / 1000) }

/** Has all durations recorded by these histograms, those of revisions to come included; returns how to stop it. */
function mirror(
  registry: MetricsRegistry,
  histograms: Instruments['histograms'],
  complete: (sample: Sample<unknown>) => Attributes,
): () => void {
  registry.watch((series) => {
    for (const { name, sample } of histogramsOf([series])) {
      const histogram = histograms.get(name)
      const attributes = complete(sample)
      sample.value.mirror = (durationMs) => histogram?.record(durationMs / 1000, attributes)
    }
  })
  return () => {
    registry.watch(null)
    for (const { sample } of histogramsOf(registry.series())) sample.value.mirror = null
  }
}

function histogramsOf(series: Iterable<RevisionSeries>) {
  return callFamilies({ series: () => series, turnedAway: () => [] }).flatMap((family) =>
    family.type === 'histogram'
      ? family.samples.map((sample) => ({ name: family.name, sample }))
      : [],
  )
}

/** What a sample says of itself, its instance, and, of functions, what every call of theirs comes by. */
function completion(identity: Attributes): (sample: Sample<unknown>) => Attributes {
  const ofFunction = { ...identity, 'faas.trigger': 'http' }
  return ({ attributes }) =>
    Object.freeze({ ...('faas.name' in attributes ? ofFunction : identity), ...attributes })
}
