import { bucketBoundsMs, type DurationHistogram } from './duration-histogram.ts'
import type { RevisionSeries } from './metrics-registry.ts'
import type { MetricFamily, Sample } from './prometheus-text.ts'

/**
 * The calls of every revision as metrics. Names and labels follow OpenTelemetry's semantic
 * conventions for FaaS, as its Prometheus exporter spells them (`faas.invocations` is
 * `faas_invocations_total`); what they have no name for begins with `needle_`.
 */
export function callFamilies(series: Iterable<RevisionSeries>): MetricFamily[] {
  const all = [...series].map(({ function: name, revision, metrics }) => ({
    labels: { faas_name: name, faas_version: revision.slice(revision.indexOf('@') + 1) },
    metrics,
  }))
  return [
    {
      name: 'faas_invocations_total',
      help: 'Calls answered, refused and failed ones included.',
      type: 'counter',
      samples: all.map(({ labels, metrics }) => ({ labels, value: metrics.calls })),
    },
    {
      name: 'faas_errors_total',
      help: 'Calls that failed through the fault of the function.',
      type: 'counter',
      samples: all.map(({ labels, metrics }) => ({ labels, value: metrics.faults })),
    },
    {
      name: 'faas_timeouts_total',
      help: 'Calls that did not answer within their deadline.',
      type: 'counter',
      samples: all.map(({ labels, metrics }) => ({
        labels,
        value: metrics.errors.get('FUNCTION_TIMEOUT') ?? 0,
      })),
    },
    {
      name: 'needle_call_errors_total',
      help: 'Error answers by code, those a caller is to blame for included.',
      type: 'counter',
      samples: all.flatMap(({ labels, metrics }) =>
        [...metrics.errors].map(([code, value]) => ({ labels: { ...labels, code }, value })),
      ),
    },
    {
      name: 'needle_stray_failures_total',
      help: 'Failures that nobody awaited, of what calls left behind: at most one for a call.',
      type: 'counter',
      samples: all.map(({ labels, metrics }) => ({ labels, value: metrics.strayFaults })),
    },
    {
      name: 'needle_loop_seconds_total',
      help: 'Time of the event loop in the synchronous parts of calls, estimated from every 16th.',
      type: 'counter',
      samples: all.map(({ labels, metrics }) => ({ labels, value: metrics.loopMs / 1000 })),
    },
    {
      name: 'needle_load_seconds',
      help: 'Time of the event loop the last load took.',
      type: 'gauge',
      samples: all.flatMap(({ labels, metrics: { lastLoad } }) =>
        lastLoad === null ? [] : [{ labels, value: lastLoad.durationMs / 1000 }],
      ),
    },
    {
      name: 'needle_load_heap_bytes',
      help: 'Growth of the heap during the last load; less when garbage was collected meanwhile.',
      type: 'gauge',
      samples: all.flatMap(({ labels, metrics: { lastLoad } }) =>
        lastLoad === null ? [] : [{ labels, value: lastLoad.heapBytes }],
      ),
    },
    {
      name: 'faas_invoke_duration_seconds',
      help: 'Time to the answer, or to the head of a streaming one.',
      type: 'histogram',
      samples: all.flatMap(({ labels, metrics }) => histogramSamples(labels, metrics.durations)),
    },
  ]
}

function histogramSamples(labels: Sample['labels'], { counts, sumMs }: DurationHistogram) {
  let cumulative = 0
  const buckets = [...counts].map((count, index): Sample => {
    cumulative += count
    const bound = bucketBoundsMs[index]
    const le = bound === undefined ? '+Inf' : String(bound / 1000)
    return { suffix: '_bucket', labels: { ...labels, le }, value: cumulative }
  })
  return [
    ...buckets,
    { suffix: '_sum', labels, value: sumMs / 1000 },
    { suffix: '_count', labels, value: cumulative },
  ]
}
