/** One metric with all its samples, as Prometheus reads it. */
export interface MetricFamily {
  /** Without the `_total` of a counter's samples: those carry their whole name. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  readonly samples: readonly Sample[]
}

export interface Sample {
  /** Appended to the family's name: `_bucket`, `_sum`, `_count`. Default none. */
  readonly suffix?: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8'

/** The text exposition format, version 0.0.4. Families without samples are left out. */
export function toPrometheusText(families: readonly MetricFamily[]): string {
  return families
    .filter(({ samples }) => samples.length > 0)
    .map(
      ({ name, help, type, samples }) =>
        `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${samples
          .map((sample) => `${name}${sample.suffix ?? ''}${labels(sample)} ${sample.value}\n`)
          .join('')}`,
    )
    .join('')
}

function labels(sample: Sample): string {
  const pairs = Object.entries(sample.labels).map(
    ([name, value]) => `${name}="${escapeLabel(value)}"`,
  )
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"')
}
