import type { FastifyInstance } from 'fastify'
import * as z from 'zod/mini'
import { RuntimeError } from '../errors.ts'
import { inEnglish } from '../in-english.ts'
import { prometheusContentType } from '../metrics/prometheus-text.ts'
import type { Runtime } from '../runtime.ts'

/**
 * Paths, in the application and not below `prefix`, at which it tells about itself. All are closed
 * unless named: they say which code runs. The application's hooks run for them as for any route.
 */
export interface EndpointPaths {
  /** `status()` as JSON. */
  readonly status?: string | undefined
  /** Prometheus' text format. */
  readonly metrics?: string | undefined
  /** 200 once something serves, else 503 `NOT_READY`. A stale, frozen or alarmed instance is ready: it serves. */
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
      const { state, frozen, manifest, source } = runtime.status()
      const version = manifest?.version ?? null
      const facts = { state, frozen, version, lastSuccess: source.lastSuccess }
      if (state === 'ready') return facts
      const error = { code: 'NOT_READY', message: 'Nothing serves yet' }
      return reply
        .code(503)
        .header('retry-after', '5')
        .send({ error, ...facts })
    })
  }
  if (live !== undefined) app.get(live, () => ({ state: 'live' }))
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
