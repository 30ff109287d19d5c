import type { CallMetrics } from './call-metrics.ts'
import type { MetricFamily } from './metric-family.ts'
import type { MetricsRegistry } from './metrics-registry.ts'

/**
 * The calls of every revision, and those that none was asked for. Names, units and attributes are
 * those of OpenTelemetry's semantic conventions for FaaS; what they have none for begins with
 * `needle.`.
 */
export function callFamilies(
  registry: Pick<MetricsRegistry, 'series' | 'turnedAway'>,
): MetricFamily[] {
  const all = [...registry.series()].map(({ function: name, revision, metrics }) => ({
    attributes: {
      'faas.name': name,
      'faas.version': revision.slice(revision.indexOf('@') + 1),
    },
    metrics,
  }))
  const each = <Value>(valueOf: (metrics: CallMetrics) => Value) =>
    all.map(({ attributes, metrics }) => ({ attributes, value: valueOf(metrics) }))

  return [
    {
      name: 'faas.invocations',
      unit: '{invocation}',
      help: 'Calls answered without a fault of the function, those its caller is to blame for included.',
      type: 'counter',
      samples: each((metrics) => metrics.successes),
    },
    {
      name: 'faas.errors',
      unit: '{error}',
      help: 'Calls that failed through the fault of the function.',
      type: 'counter',
      samples: each((metrics) => metrics.faults),
    },
    {
      name: 'faas.timeouts',
      unit: '{timeout}',
      help: 'Calls that did not answer within their deadline.',
      type: 'counter',
      samples: each((metrics) => metrics.errors.get('FUNCTION_TIMEOUT') ?? 0),
    },
    {
      name: 'faas.coldstarts',
      unit: '{coldstart}',
      help: 'Calls that had to wait for the function to be loaded.',
      type: 'counter',
      samples: each((metrics) => metrics.coldStarts),
    },
    {
      name: 'needle.call.errors',
      unit: '{error}',
      help: 'Error answers by code, those a caller is to blame for included.',
      type: 'counter',
      samples: all.flatMap(({ attributes, metrics }) =>
        [...metrics.errors].map(([code, value]) => ({
          attributes: { ...attributes, 'error.type': code },
          value,
        })),
      ),
    },
    {
      name: 'needle.calls.turned_away',
      unit: '{call}',
      help: 'Calls of a function that none of its revisions was asked for, by code of their answer.',
      type: 'counter',
      samples: [...registry.turnedAway()].map(({ function: name, code, calls }) => ({
        attributes: { 'faas.name': name, 'error.type': code },
        value: calls,
      })),
    },
    {
      name: 'needle.stray_failures',
      unit: '{failure}',
      help: 'Failures that nobody awaited, of what calls left behind: at most one for a call.',
      type: 'counter',
      samples: each((metrics) => metrics.strayFaults),
    },
    {
      name: 'needle.event_loop.time',
      unit: 's',
      help: 'Time of the event loop in its code, estimated from every 16th of light calls.',
      type: 'counter',
      samples: each((metrics) => metrics.loopMs / 1000),
    },
    {
      name: 'needle.load.heap',
      unit: 'By',
      help: 'Growth of the heap during the last load; less when garbage was collected meanwhile.',
      type: 'gauge',
      samples: all.flatMap(({ attributes, metrics: { loadHeapBytes } }) =>
        loadHeapBytes === null ? [] : [{ attributes, value: loadHeapBytes }],
      ),
    },
    {
      name: 'faas.init_duration',
      unit: 's',
      help: 'Time of the event loop that loading the function took.',
      type: 'histogram',
      samples: each((metrics) => metrics.loads),
    },
    {
      name: 'faas.invoke_duration',
      unit: 's',
      help: 'Time to the answer, or to the head of a streaming one.',
      type: 'histogram',
      samples: each((metrics) => metrics.durations),
    },
  ]
}
