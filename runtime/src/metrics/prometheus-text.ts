import { bucketBoundsMs, type DurationHistogram } from './duration-histogram.ts'
import type { MetricFamily, Sample } from './metric-family.ts'

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** The text exposition format, version 0.0.4. Families without samples are left out. */
export function toPrometheusText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map((family) => {
      const name = toPrometheusName(family)
      const head = `# HELP ${name} ${escapeHelp(family.help)}\n# TYPE ${name} ${family.type}\n`
      return `${head}${toLines(name, family).join('')}`
    })
    .join('')
}

/**
 * As OpenTelemetry's specification of its compatibility with Prometheus spells a name: underscores
 * for dots, the unit in full, `_total` at the end of a counter. Units in braces are not told.
 */
export function toPrometheusName({
  name,
  unit,
  type,
}: Pick<MetricFamily, 'name' | 'type'> & { readonly unit: string }): string {
  const suffix = type === 'counter' ? '_total' : ''
  return `${name.replaceAll('.', '_')}${unitSuffixes.get(unit) ?? ''}${suffix}`
}

const unitSuffixes: ReadonlyMap<string, string> = new Map([
  ['s', '_seconds'],
  ['By', '_bytes'],
  ['%', '_percent'],
])

function toLines(name: string, family: MetricFamily): string[] {
  return family.type === 'histogram'
    ? family.samples.flatMap((sample) => histogramLines(name, sample))
    : family.samples.map(({ attributes, value }) => toLine(name, toLabels(attributes), value))
}

function histogramLines(name: string, sample: Sample<DurationHistogram>): string[] {
  const labels = toLabels(sample.attributes)
  const { counts, sumMs } = sample.value
  const bucketOf = labels === '' ? '' : `${labels},`
  const lines: string[] = []
  let cumulative = 0
  for (const [index, le] of bucketLabels.entries()) {
    cumulative += counts[index] ?? 0
    lines.push(toLine(`${name}_bucket`, `${bucketOf}${le}`, cumulative))
  }
  lines.push(
    toLine(`${name}_sum`, labels, sumMs / 1000),
    toLine(`${name}_count`, labels, cumulative),
  )
  return lines
}

const bucketLabels = [...bucketBoundsMs.map((boundMs) => String(boundMs / 1000)), '+Inf'].map(
  (bound) => `le="${bound}"`,
)

function toLine(name: string, labels: string, value: number): string {
  return labels === '' ? `${name} ${value}\n` : `${name}{${labels}} ${value}\n`
}

function toLabels(attributes: Sample<unknown>['attributes']): string {
  return Object.entries(attributes)
    .map(([name, value]) => `${name.replaceAll('.', '_')}="${escapeLabel(value)}"`)
    .join(',')
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
