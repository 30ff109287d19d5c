import * as z from 'zod'
import type { MetricReading } from './metric-reading.ts'

/** Of one question, in milliseconds. */
const timeoutMs = 5_000

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: z.tuple([z.number(), z.string()]) }),
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ value: z.tuple([z.number(), z.string()]) })),
    }),
  ]),
})

/**
 * Asks a Prometheus (`http://host:9090`, what its HTTP API lies below) for the value of a query now.
 * Never rejects but for an aborted signal: that it cannot be asked is an answer too.
 */
export async function readMetric(
  url: string,
  query: string,
  signal?: AbortSignal,
): Promise<MetricReading> {
  try {
    const address = new URL('api/v1/query', url.endsWith('/') ? url : `${url}/`)
    const timeout = AbortSignal.timeout(timeoutMs)
    const response = await fetch(address, {
      method: 'POST',
      body: new URLSearchParams({ query }),
      signal: signal === undefined ? timeout : AbortSignal.any([signal, timeout]),
    })
    const text = await response.text()
    const answer = response.ok ? answerSchema.safeParse(JSON.parse(text)) : null
    if (!answer?.success) {
      return failed(url, `it answered ${response.status}: ${text.slice(0, 200)}`)
    }
    return toReading(answer.data.data, query)
  } catch (error) {
    signal?.throwIfAborted()
    return failed(url, error instanceof Error ? describe(error) : String(error))
  }
}

function toReading(data: z.infer<typeof answerSchema>['data'], query: string): MetricReading {
  const samples =
    data.resultType === 'scalar' ? [data.result] : data.result.map(({ value }) => value)
  const [sample] = samples
  const value = Number(sample?.[1])
  if (samples.length === 1 && Number.isFinite(value)) return { status: 'value', value }
  const what = samples.length > 1 ? `${samples.length} numbers` : 'no number'
  return { status: 'empty', message: `Prometheus answers ${what} to: ${query}` }
}

function failed(url: string, why: string): MetricReading {
  return { status: 'failed', message: `Prometheus at ${url} could not be asked: ${why}` }
}

/** What `fetch` throws says why in its cause. */
function describe({ message, cause }: Error): string {
  return cause instanceof Error ? `${message}: ${cause.message}` : message
}
