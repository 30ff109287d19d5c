import { toPrometheusName } from '../../src/metrics/prometheus-text.ts'
import type { Collected } from '../../src/metrics/testing/start-sdk.ts'

/** The samples of a Prometheus text. */
export function writtenLines(text: string): Map<string, number> {
  return new Map(
    text
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => {
        const at = line.lastIndexOf(' ')
        return [line.slice(0, at), Number(line.slice(at + 1))]
      }),
  )
}

/** What a scrape of the SDK's metrics would say, but for what tells the instance. */
export function exportedLines(collected: ReadonlyMap<string, Collected>): Map<string, number> {
  const lines = new Map<string, number>()
  for (const { kind, points, ...told } of collected.values()) {
    const name = toPrometheusName({ ...told, type: kind })
    for (const { attributes, value, buckets } of points) {
      const {
        'faas.trigger': _trigger,
        'faas.instance': _instance,
        'needle.environment': _environment,
        ...labels
      } = attributes
      const add = (suffix: string, added: number, more = {}): void => {
        const pairs = Object.entries({ ...labels, ...more }).map(
          ([key, text]) => `${key.replaceAll('.', '_')}="${String(text)}"`,
        )
        lines.set(`${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`}`, added)
      }
      if (buckets === null) {
        add('', value)
        continue
      }
      let below = 0
      for (const [index, count] of buckets.counts.entries()) {
        below += count
        add('_bucket', below, { le: String(buckets.bounds[index] ?? '+Inf') })
      }
      add('_sum', value)
      add('_count', below)
    }
  }
  return lines
}
