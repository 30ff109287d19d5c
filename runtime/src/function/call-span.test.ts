import { context, SpanStatusCode, trace } from '@opentelemetry/api'
import { setTimeout as delay } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { recordSpans } from './testing/record-spans.ts'
import { artifactOf, loadFixture, textOf } from './testing/revision-fixture.ts'

const exporter = recordSpans()

it('names function, revision, route and request, as a child of the span of the request', async () => {
  const { invoke, revision } = await loadFixture(artifactOf(`async () => 1`))
  const parent = trace.getTracer('host').startSpan('GET /shop/card')
  await context.with(trace.setSpan(context.active(), parent), () => invoke())
  const [span] = exporter.getFinishedSpans()
  expect(span).toMatchObject({
    name: 'shop/card',
    attributes: {
      'faas.name': 'shop/card',
      'faas.version': revision.id.split('@')[1],
      'faas.trigger': 'http',
      'faas.invocation_id': 'req-1',
      'http.route': '/shop/card',
      'http.response.status_code': 200,
    },
    status: { code: SpanStatusCode.UNSET },
    parentSpanContext: { spanId: parent.spanContext().spanId },
  })
})

it('is the active span of what the function does, also after it waits, and in its log', async () => {
  const { invoke, lines } = await loadFixture(
    artifactOf(`{ uses: ['call'], handler: async (input, { services, log }) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      log.info('asked')
      return services.call()
    } }`),
    {
      services: {
        call: () => {
          trace.getTracer('client').startSpan('GET price').end()
          return 1
        },
      },
    },
  )
  await invoke()
  const [client, call] = exporter.getFinishedSpans()
  expect(client?.parentSpanContext?.spanId).toBe(call?.spanContext().spanId)
  expect(lines[0]).toMatchObject({
    message: 'asked',
    fields: { requestId: 'req-1', traceId: call?.spanContext().traceId },
  })
})

it.each([
  [`async () => { throw new Error('no') }`, 'FUNCTION_FAILED', SpanStatusCode.ERROR, 500],
  [
    `{ timeoutMs: 5, handler: () => new Promise(() => {}) }`,
    'FUNCTION_TIMEOUT',
    SpanStatusCode.ERROR,
    504,
  ],
])('tells the error of %s', async (handler, code, status, httpStatus) => {
  const { invoke } = await loadFixture(artifactOf(handler))
  await invoke()
  expect(exporter.getFinishedSpans()).toMatchObject([
    {
      attributes: { 'error.type': code, 'http.response.status_code': httpStatus },
      status: { code: status },
    },
  ])
})

it.each([
  [
    'a failure after a wait',
    `async () => { await new Promise((resolve) => setTimeout(resolve, 1)); throw new Error('no') }`,
  ],
  [
    'a stream that breaks off',
    `() => new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 1))
        this.sent ? controller.error(new Error('no')) : controller.enqueue(new Uint8Array(1))
        this.sent = true
      }
    }))`,
  ],
])('is named in the line the runtime logs of %s', async (_what, handler) => {
  const { invoke, lines } = await loadFixture(artifactOf(handler))
  await textOf(await invoke()).catch(() => undefined)
  await expect.poll(() => exporter.getFinishedSpans()).toHaveLength(1)
  const [span] = exporter.getFinishedSpans()
  await expect
    .poll(() => lines)
    .toMatchObject([
      {
        level: 'error',
        fields: {
          function: 'shop/card',
          requestId: 'req-1',
          traceId: span?.spanContext().traceId,
        },
      },
    ])
})

it('does not blame the function for what the caller did', async () => {
  const { invoke } = await loadFixture(artifactOf(`async () => 1`))
  await invoke({ body: '{' })
  expect(exporter.getFinishedSpans()).toMatchObject([
    { attributes: { 'error.type': 'BODY_NOT_JSON' }, status: { code: SpanStatusCode.UNSET } },
  ])
})

it('ends with the end of a streaming answer', async () => {
  const { invoke } = await loadFixture(
    artifactOf(`() => new Response(new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('a'))
        await new Promise((resolve) => setTimeout(resolve, 10))
        controller.enqueue(new TextEncoder().encode('b'))
        controller.close()
      }
    }))`),
  )
  const outcome = await invoke()
  expect(exporter.getFinishedSpans()).toEqual([])
  expect(await textOf(outcome)).toBe('ab')
  await delay(1)
  expect(exporter.getFinishedSpans()).toHaveLength(1)
})
