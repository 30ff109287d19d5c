import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { RuntimeError } from '../errors.ts'
import { inEnglish } from '../in-english.ts'
import { prometheusContentType } from '../metrics/prometheus-text.ts'
import type { Runtime } from '../runtime.ts'
import type { RuntimeStatus } from '../sync/status.ts'

/**
 * Paths, in the application and not below `prefix`, at which it tells about itself. All are closed
 * unless named: they say which code runs. The application's hooks run for them as for any route.
 */
export interface EndpointPaths {
  /** `status()` as JSON. */
  readonly status?: string | undefined
  /** Prometheus' text format. */
  readonly metrics?: string | undefined
  /**
   * 200 once something serves or nothing is to, else 503 `NOT_READY`. A stale, frozen or alarmed
   * instance is ready: it serves, and says so in the body, by codes.
   */
  readonly ready?: string | undefined
  /** 200 while the event loop turns. */
  readonly live?: string | undefined
}

/** @throws RuntimeError `OPTIONS_INVALID` for paths that are none. */
export function parseEndpointPaths(given: EndpointPaths | undefined): EndpointPaths {
  const parsed = endpointPathsSchema.safeParse(given ?? {}, inEnglish)
  if (parsed.success) return parsed.data
  const problems = parsed.error.issues.map(
    ({ path, message }) => `${['endpoints', ...path.map(String)].join('.')}: ${message}`,
  )
  throw new RuntimeError(
    'OPTIONS_INVALID',
    `Needle cannot start with these options:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    { details: { problems } },
  )
}

/** Opens the endpoints that have a path. */
export function serveEndpoints(
  app: FastifyInstance,
  runtime: Pick<Runtime, 'status' | 'metrics'>,
  paths: EndpointPaths,
): void {
  const { status, metrics, ready, live } = paths
  if (status !== undefined) app.get(status, () => runtime.status())
  if (metrics !== undefined) {
    app.get(metrics, (_, reply) => reply.type(prometheusContentType).send(runtime.metrics()))
  }
  if (ready !== undefined) {
    app.get(ready, (_, reply) => {
      const status = runtime.status()
      const facts = readinessFacts(status)
      if (status.state === 'ready') return facts
      const error = { code: 'NOT_READY', message: 'Nothing serves yet' }
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({ error, ...facts })
    })
  }
  if (live !== undefined) app.get(live, () => ({ state: 'live' }))
}

/** What may be told to whoever asks whether it is ready: no message, which may name the store. */
function readinessFacts(status: RuntimeStatus): object {
  const { state, frozen, manifest, source, refusal, alarms, functions } = status
  return {
    state,
    frozen,
    version: manifest?.version ?? null,
    lastSuccess: source.lastSuccess,
    refusal: refusal?.code ?? null,
    alarms: alarms.map(({ code }) => code),
    refused: functions.filter(({ refusals }) => refusals.length > 0).length,
  }
}

const pathSchema = z.optional(
  z.string().check(z.regex(/^\/[^?#*:]*$/, 'give a path that begins with "/", without parameters')),
)

const endpointPathsSchema: z.ZodMiniType<EndpointPaths> = z.strictObject({
  status: pathSchema,
  metrics: pathSchema,
  ready: pathSchema,
  live: pathSchema,
})
