import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Dispatcher } from '../dispatcher.ts'
import type { Caller } from '../function/authoring/function-context.ts'
import type { Outcome } from '../function/call.ts'
import type { RouteMatch } from '../routing/route-table.ts'
import { createRuntime, type Runtime } from '../runtime.ts'
import type { RuntimeOptions } from '../runtime-options.ts'
import { BodyTooLarge, type FastifyBody, readFastifyBody } from './fastify-body.ts'
import { FastifyCall } from './fastify-call.ts'
import { type EndpointPaths, parseEndpointPaths, serveEndpoints } from './fastify-endpoints.ts'
import { toLogger } from './fastify-log.ts'

export interface NeedlePluginOptions extends RuntimeOptions {
  /** Path below which functions are served: `/bff` serves `/shop/card` at `/bff/shop/card`. Default: none. */
  readonly prefix?: string
  /** What functions get as `caller`: the signed-in user, the tenant… Runs after the host's `preHandler` hooks. */
  readonly context?: ((request: FastifyRequest) => Caller | Promise<Caller>) | undefined
  /** Where status, metrics, readiness and liveness are told. Default: nowhere. */
  readonly endpoints?: EndpointPaths | undefined
}

/** What `fastify.needle` offers. */
export type NeedleDecorator = Pick<Runtime, 'status' | 'metrics' | 'refresh' | 'ready'>

declare module 'fastify' {
  interface FastifyInstance {
    needle: NeedleDecorator
  }
}

const plugin: FastifyPluginAsync<NeedlePluginOptions> = async (fastify, options) => {
  const { prefix = '', context, endpoints, ...runtimeOptions } = options
  const paths = parseEndpointPaths(endpoints)
  const runtime = createRuntime({
    log: toLogger(fastify.log),
    ...runtimeOptions,
    prefix: fastify.prefix + prefix,
  })
  fastify.decorate('needle', {
    status: () => runtime.status(),
    metrics: () => runtime.metrics(),
    refresh: () => runtime.refresh(),
    ready: () => runtime.ready(),
  })
  serveEndpoints(fastify, runtime, paths)
  // Fastify waits for open connections before its `onClose`, and some end only when they are ended.
  fastify.addHook('preClose', (done) => {
    runtime.close().catch(() => undefined)
    done()
  })
  fastify.addHook('onClose', () => runtime.close())
  // A scope of its own: the host's content-type parsers and other routes stay as they are.
  fastify.register(async (scope) => serve(scope, runtime.dispatcher, context), { prefix })
  await runtime.start()
}

/**
 * Serves functions in a Fastify 5 application, all below one wildcard route, where the hooks of the
 * application run as for any route of its own. Registering waits for the first state, but never
 * longer than `source.bootDeadlineMs`, which must stay below Fastify's `pluginTimeout` (10 s).
 */
export const needle = fastifyPlugin(plugin, { name: '@needle-faas/runtime', fastify: '5.x' })
export default needle

/** What the content-type parser leaves for the route: the body, and the match it had to find first. */
class Received {
  declare readonly match: RouteMatch
  declare readonly body: FastifyBody

  constructor(match: RouteMatch, body: FastifyBody) {
    this.match = match
    this.body = body
  }
}

function serve(
  scope: FastifyInstance,
  dispatcher: Dispatcher,
  context: NeedlePluginOptions['context'],
): void {
  const prefixLength = scope.prefix.length
  const match = (request: FastifyRequest): RouteMatch =>
    dispatcher.match(request.method, request.url.slice(prefixLength))

  scope.removeAllContentTypeParsers()
  // Not '*': Fastify caches which parser a content type has, but not that it is the catch-all one,
  // and takes every header apart anew (a tenth of a small request).
  scope.addContentTypeParser(/^/, (request, payload, done) => {
    const found = match(request)
    const maxBytes = found.status === 'found' ? dispatcher.maxBodyBytes(found.function) : null
    if (maxBytes === null) return done(null, new Received(found, null))
    readFastifyBody(payload, { headers: request.headers, maxBytes }, (error, body = null) =>
      done(error, new Received(found, body)),
    )
  })

  const invoke = (
    request: FastifyRequest,
    reply: FastifyReply,
    found: Extract<RouteMatch, { status: 'found' }>,
    caller: Caller,
  ): void => {
    const body = request.body instanceof Received ? request.body.body : null
    if (body instanceof BodyTooLarge) {
      reply.header('connection', 'close')
      return send(request, reply, dispatcher.refuseBody(found.function, body.maxBytes))
    }
    const call = new FastifyCall(request, reply, { match: found, body, caller })
    void dispatcher.invoke(found.function, call).then((outcome) => send(request, reply, outcome))
  }

  scope.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: '/*',
    handler: (request, reply) => {
      const found = request.body instanceof Received ? request.body.match : match(request)
      if (found.status !== 'found') return send(request, reply, dispatcher.refuse(found))
      if (context === undefined) return invoke(request, reply, found, noCaller)
      const caller = context(request)
      if (!(caller instanceof Promise)) return invoke(request, reply, found, caller)
      caller.then(
        (resolved) => invoke(request, reply, found, resolved),
        (error: unknown) => reply.send(error),
      )
    },
  })
}

const noCaller: Caller = Object.freeze({})

function send(request: FastifyRequest, reply: FastifyReply, outcome: Outcome): void {
  const { body, headers } = outcome
  try {
    if (reply.statusCode !== outcome.status) reply.code(outcome.status)
    setHeaders(reply, headers)
    if (body instanceof ReadableStream && request.method === 'HEAD') {
      // Nobody will read it: let the function stop producing.
      void body
        .cancel()
        .catch(() => undefined)
        .then(() => reply.send())
        .catch((error: unknown) => failToSend(reply, error))
    } else if (body === null) reply.send()
    else if (typeof body === 'string') reply.serializer(asItIs).send(body)
    else reply.send(body)
  } catch (error) {
    failToSend(reply, error)
  }
}

/**
 * Answers 500 where Node.js refuses to write an answer, without its headers: one may be the cause. Those
 * of functions were checked, but nothing would catch what is thrown here, and the process would end.
 */
function failToSend(reply: FastifyReply, error: unknown): void {
  reply.log.error({ err: error }, 'An answer could not be sent')
  if (reply.raw.headersSent) return void reply.raw.destroy()
  for (const name of Object.keys(reply.getHeaders())) reply.removeHeader(name)
  try {
    reply.code(500).type('application/json; charset=utf-8').serializer(asItIs).send(unsendable)
  } catch {
    // Of a header that a hook of the application sets again.
    reply.raw.destroy()
  }
}

const unsendable = JSON.stringify({
  error: { code: 'FUNCTION_FAILED', message: 'The answer of the function could not be sent' },
})

/** What nearly all answers have by constant names: `header` takes each other one apart. */
function setHeaders(reply: FastifyReply, headers: Outcome['headers']): void {
  const { 'content-type': type, 'x-needle-revision': revision } = headers
  if (typeof type === 'string') reply.type(type)
  if (revision !== undefined) reply.header('x-needle-revision', revision)
  for (const name in headers) {
    if (name !== 'content-type' && name !== 'x-needle-revision') reply.header(name, headers[name])
  }
}

/** For Fastify, which would look into the content type of every text whether to serialise it as JSON. */
const asItIs = (text: string): string => text
