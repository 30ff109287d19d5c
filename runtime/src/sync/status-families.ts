import type { MetricFamily, NumberFamily } from '../metrics/metric-family.ts'
import type { RuntimeStatus } from './status.ts'

/** What an instance says of itself: whether it serves, from which manifest, how stale the store's answer is. */
export function statusFamilies(status: RuntimeStatus): MetricFamily[] {
  const { manifest, source, functions } = status
  return [
    gauge('needle.ready', {
      unit: '{instance}',
      help: 'Whether something serves.',
      value: status.state === 'ready' ? 1 : 0,
    }),
    gauge('needle.frozen', {
      unit: '{instance}',
      help: 'Whether an expired manifest keeps changes out.',
      value: status.frozen ? 1 : 0,
    }),
    gauge('needle.alarms', {
      unit: '{alarm}',
      help: 'Alarms whose cause lasts.',
      value: status.alarms.length,
    }),
    gauge('needle.manifest.version', {
      unit: '{version}',
      help: 'Version that was activated last.',
      value: manifest?.version,
    }),
    gauge('needle.manifest.expires_timestamp', {
      unit: 's',
      help: 'When the active manifest expires.',
      value: seconds(manifest?.expiresAt),
    }),
    gauge('needle.store.success_timestamp', {
      unit: 's',
      help: 'When the store last answered acceptably: how stale this instance may be.',
      value: seconds(source.lastSuccess),
    }),
    gauge('needle.event_loop.delay', {
      unit: 's',
      help: 'How late the event loop runs, mean of about a second.',
      value: status.overload.delayMs === null ? null : status.overload.delayMs / 1000,
    }),
    gauge('needle.functions.shed', {
      unit: '{function}',
      help: 'Functions turned away until the event loop keeps up.',
      value: status.overload.shed.length,
    }),
    gauge('needle.functions.serving', {
      unit: '{function}',
      help: 'Functions with a revision that serves.',
      value: functions.filter(({ stable, stopped }) => stable !== null && !stopped).length,
    }),
    {
      name: 'needle.function.refusals',
      unit: '{release}',
      help: 'Releases this instance refuses to serve, by function.',
      type: 'gauge',
      samples: functions.map(({ function: name, refusals }) => ({
        attributes: { 'faas.name': name },
        value: refusals.length,
      })),
    },
    {
      name: 'needle.canary.weight',
      unit: '%',
      help: 'Share of keys a canary serves, of functions that have one.',
      type: 'gauge',
      samples: functions
        .filter(({ canary }) => canary !== null)
        .map(({ function: name, weightPercent }) => ({
          attributes: { 'faas.name': name },
          value: weightPercent,
        })),
    },
  ]
}

interface Gauge extends Pick<NumberFamily, 'unit' | 'help'> {
  /** Nothing while it is not known. */
  readonly value: number | null | undefined
}

function gauge(name: string, { unit, help, value }: Gauge): NumberFamily {
  const isKnown = value !== null && value !== undefined
  return { name, unit, help, type: 'gauge', samples: isKnown ? [{ attributes: {}, value }] : [] }
}

function seconds(iso: string | null | undefined): number | null {
  return iso === null || iso === undefined ? null : Date.parse(iso) / 1000
}
