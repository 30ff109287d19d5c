import type { RuntimeStatus } from './status.ts'
import type { MetricFamily } from '../metrics/prometheus-text.ts'

/** What an instance says of itself: whether it serves, from which manifest, how stale the store's answer is. */
export function statusFamilies(status: RuntimeStatus): MetricFamily[] {
  const { manifest, source, functions } = status
  return [
    gauge('needle_ready', 'Whether something serves.', status.state === 'ready' ? 1 : 0),
    gauge('needle_frozen', 'Whether an expired manifest keeps changes out.', status.frozen ? 1 : 0),
    gauge('needle_alarms', 'Alarms whose cause lasts.', status.alarms.length),
    gauge('needle_manifest_version', 'Version that was activated last.', manifest?.version),
    gauge(
      'needle_manifest_expires_timestamp_seconds',
      'When the active manifest expires.',
      seconds(manifest?.expiresAt),
    ),
    gauge(
      'needle_store_success_timestamp_seconds',
      'When the store last answered acceptably: how stale this instance may be.',
      seconds(source.lastSuccess),
    ),
    gauge(
      'needle_event_loop_delay_seconds',
      'How late the event loop runs, mean of about a second.',
      status.overload.delayMs === null ? null : status.overload.delayMs / 1000,
    ),
    gauge(
      'needle_functions_shed',
      'Functions turned away until the event loop keeps up.',
      status.overload.shed.length,
    ),
    gauge(
      'needle_functions_serving',
      'Functions with a revision that serves.',
      functions.filter(({ stable, stopped }) => stable !== null && !stopped).length,
    ),
    {
      name: 'needle_function_refusals',
      help: 'Releases this instance refuses to serve, by function.',
      type: 'gauge',
      samples: functions.map(({ function: name, refusals }) => ({
        labels: { faas_name: name },
        value: refusals.length,
      })),
    },
    {
      name: 'needle_canary_weight_percent',
      help: 'Share of keys a canary serves, of functions that have one.',
      type: 'gauge',
      samples: functions
        .filter(({ canary }) => canary !== null)
        .map(({ function: name, weightPercent }) => ({
          labels: { faas_name: name },
          value: weightPercent,
        })),
    },
  ]
}

function gauge(name: string, help: string, value: number | null | undefined): MetricFamily {
  const isKnown = value !== null && value !== undefined
  return { name, help, type: 'gauge', samples: isKnown ? [{ labels: {}, value }] : [] }
}

function seconds(iso: string | null | undefined): number | null {
  return iso === null || iso === undefined ? null : Date.parse(iso) / 1000
}
