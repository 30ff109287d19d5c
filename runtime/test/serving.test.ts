import { trace } from '@opentelemetry/api'
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { needle } from '../src/hosts/fastify.ts'
import { quietOptions } from './support/quiet-options.ts'
import { startHost } from './support/start-host.ts'
import { createTestEnvironment } from './support/test-environment.ts'

describe('the Fastify plugin', () => {
  it('serves what is published, then what is published next', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: 'async () => ({ v: 1 })' })
    const app = await startHost(bucket)

    const first = await app.inject('/bff/shop/card')
    expect(first.json()).toEqual({ v: 1 })
    expect(first.headers['x-needle-revision']).toMatch(/^shop\/card@[0-9a-f]{12}$/)

    await bucket.publish({ card: 'async () => ({ v: 2 })' })
    await app.needle.refresh()
    const second = await app.inject('/bff/shop/card')
    expect(second.json()).toEqual({ v: 2 })
    expect(second.headers['x-needle-revision']).not.toBe(first.headers['x-needle-revision'])
    expect(app.needle.status()).toMatchObject({
      state: 'ready',
      frozen: false,
      manifest: { version: 2 },
      refusal: null,
      alarms: [],
    })
  })

  it('names in spans the whole route, with the prefixes of plugin and application', async () => {
    const exporter = new InMemorySpanExporter()
    const spanProcessors = [new SimpleSpanProcessor({ exporter })]
    trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors }))
    onTestFinished(() => trace.disable())
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: 'async () => 1' })
    const app = Fastify()
    onTestFinished(() => app.close())
    const options = quietOptions(bucket, { prefix: '/bff' })
    app.register(async (scope) => scope.register(needle, options), { prefix: '/v1' })
    expect((await app.inject('/v1/bff/shop/card')).statusCode).toBe(200)
    const [span] = exporter.getFinishedSpans()
    expect(span?.attributes['http.route']).toBe('/v1/bff/shop/card')
  })
})
