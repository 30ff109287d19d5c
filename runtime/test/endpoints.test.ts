import { describe, expect, it } from 'vitest'
import type { NeedlePluginOptions } from '../src/hosts/fastify.ts'
import { startHost } from './support/start-host.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const paths = { status: '/needle', metrics: '/metrics', ready: '/ready', live: '/live' }

async function startWithCard(endpoints?: NeedlePluginOptions['endpoints']) {
  const bucket = await createTestEnvironment()
  await bucket.publish({
    card: `async (input) => { if (input.fail) throw new Error('no'); return { v: 1 } }`,
  })
  return startHost(bucket, { endpoints })
}

describe('endpoints', () => {
  it('are closed unless they are given a path', async () => {
    const app = await startWithCard()
    const answers = await Promise.all(Object.values(paths).map((path) => app.inject(path)))
    expect(answers.map(({ statusCode }) => statusCode)).toEqual([404, 404, 404, 404])
  })

  it('tell the status', async () => {
    const app = await startWithCard(paths)
    expect((await app.inject('/needle')).json()).toMatchObject({
      state: 'ready',
      functions: [{ function: 'shop/card', manifestVersion: 1 }],
    })
  })

  it('count calls per revision for Prometheus', async () => {
    const app = await startWithCard(paths)
    const answer = await app.inject('/bff/shop/card')
    await app.inject('/bff/shop/card?fail=1')
    const version = String(answer.headers['x-needle-revision']).split('@')[1]
    const labels = `faas_name="shop/card",faas_version="${version}"`
    const metrics = await app.inject('/metrics')
    expect(metrics.headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(metrics.body.split('\n')).toEqual(
      expect.arrayContaining([
        `faas_invocations_total{${labels}} 1`,
        `faas_errors_total{${labels}} 1`,
        `faas_timeouts_total{${labels}} 0`,
        `needle_call_errors_total{${labels},error_type="FUNCTION_FAILED"} 1`,
        `faas_invoke_duration_seconds_count{${labels}} 2`,
        'needle_ready 1',
        'needle_manifest_version 1',
        'needle_functions_serving 1',
      ]),
    )
  })

  it('say not ready while nothing serves, and live all the same', async () => {
    const bucket = await createTestEnvironment()
    const app = await startHost(bucket, { source: { bootDeadlineMs: 50 }, endpoints: paths })
    const ready = await app.inject('/ready')
    expect(ready.statusCode).toBe(503)
    expect(ready.json()).toMatchObject({ error: { code: 'NOT_READY' }, version: null })
    expect((await app.inject('/live')).statusCode).toBe(200)
    expect((await app.inject('/metrics')).body).toContain('\nneedle_ready 0\n')
  })

  it('stay ready while the store is away', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: 'async () => 1' })
    let isAway = false
    const store: typeof bucket.store = {
      ...bucket.store,
      get: (...given) => {
        if (isAway) throw new Error('the store is away')
        return bucket.store.get(...given)
      },
    }
    const app = await startHost(bucket, { source: { store }, endpoints: paths })
    isAway = true
    await app.needle.refresh()
    expect(app.needle.status().alarms).not.toEqual([])
    expect((await app.inject('/ready')).statusCode).toBe(200)
  })

  it('run behind the hooks of the application', async () => {
    const bucket = await createTestEnvironment()
    const options = { source: { bootDeadlineMs: 50 }, endpoints: paths }
    const app = await startHost(bucket, options, (host) => {
      host.addHook('onRequest', async (_, reply) => reply.code(401).send())
    })
    expect((await app.inject('/needle')).statusCode).toBe(401)
  })

  it.each<[object, string]>([
    [{ status: 'needle' }, 'endpoints.status: give a path'],
    [{ metrics: '/m?x' }, 'endpoints.metrics: give a path'],
    [{ helth: '/h' }, 'endpoints: Unrecognized key: "helth"'],
  ])('refuse %o', async (endpoints, message) => {
    const bucket = await createTestEnvironment()
    await expect(startHost(bucket, { endpoints })).rejects.toThrow(message)
  })
})
