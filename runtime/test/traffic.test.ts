import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { needle, type NeedlePluginOptions } from '../src/hosts/fastify.ts'
import type { FunctionState, ReleaseRef } from '../src/manifest/group-document.ts'
import {
  createTestEnvironment,
  silentLog,
  type TestEnvironment,
} from './support/test-environment.ts'

const opened: FastifyInstance[] = []

afterEach(async () => {
  for (const app of opened.splice(0)) await app.close()
})

async function boot(
  bucket: TestEnvironment,
  options: Partial<NeedlePluginOptions> = {},
  prepare: (app: FastifyInstance) => void = () => {},
): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  opened.push(app)
  prepare(app)
  app.register(needle, {
    prefix: '/bff',
    source: { store: bucket.store },
    groups: ['shop'],
    trust: bucket.trust.rootBytes,
    log: silentLog,
    report: false,
    ...options,
  })
  await app.ready()
  return app
}

const withCanary = (stable: ReleaseRef, canary: ReleaseRef, weightPercent: number) =>
  ({
    stable,
    previous: [],
    rollout: {
      canary,
      steps: [{ weightPercent, bakeMs: 0 }],
      step: 0,
      weightPercent,
      salt: 'salt-salt',
      since: '2026-01-01T00:00:00Z',
    },
    hold: null,
  }) satisfies FunctionState

describe('under traffic', () => {
  it('fails no request while releases are swapped', async () => {
    const bucket = await createTestEnvironment()
    const release = (v: number) =>
      bucket.release(
        'shop/card',
        `async () => { await new Promise((go) => setTimeout(go, 3)); return { v: ${v} } }`,
      )
    await bucket.publish({ card: await release(1) })
    const app = await boot(bucket)
    const address = await app.listen({ port: 0, host: '127.0.0.1' })

    const over = new AbortController()
    const statuses = new Map<number, number>()
    const seen = new Set<number>()
    const client = async (): Promise<void> => {
      while (!over.signal.aborted) {
        const response = await fetch(`${address}/bff/shop/card`)
        statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
        const body: unknown = await response.json()
        if (typeof body === 'object' && body !== null && 'v' in body) seen.add(Number(body.v))
      }
    }
    const clients = Array.from({ length: 8 }, client)
    for (let v = 2; v <= 12; v++) {
      await bucket.publish({ card: await release(v) })
      await app.needle.refresh()
      // A request that begins after the refresh meets the new release.
      const next = await fetch(`${address}/bff/shop/card`)
      expect(await next.json()).toEqual({ v })
    }
    over.abort()
    await Promise.all(clients)
    expect([...statuses.keys()]).toEqual([200])
    expect(seen.size).toBeGreaterThan(3)
  })

  it('keeps callers on their side of a rollout as its weight grows', async () => {
    const bucket = await createTestEnvironment()
    const stable = await bucket.release('shop/card', 'async () => "stable"')
    const canary = await bucket.release('shop/card', 'async () => "canary"')
    await bucket.publish({ card: withCanary(stable, canary, 20) })
    const app = await boot(bucket)
    const sides = async (): Promise<string[]> => {
      const keys = Array.from({ length: 300 }, (_, index) => `user-${index}`)
      return Promise.all(
        keys.map(async (key) =>
          (await app.inject({ url: '/bff/shop/card', headers: { 'x-needle-key': key } })).json(),
        ),
      )
    }
    const at20 = await sides()
    const share = at20.filter((side) => side === 'canary').length / at20.length
    expect(share).toBeGreaterThan(0.12)
    expect(share).toBeLessThan(0.28)
    expect(await sides()).toEqual(at20)

    await bucket.publish({ card: withCanary(stable, canary, 60) })
    await app.needle.refresh()
    const at60 = await sides()
    const left = at20.filter((side, index) => side === 'canary' && at60[index] !== side)
    expect(left).toEqual([])
    expect(at60).not.toEqual(at20)
    expect(app.needle.status().functions[0]).toMatchObject({ weightPercent: 60 })
  })

  it('serves at the stable route until the canary that moves it is promoted', async () => {
    const bucket = await createTestEnvironment()
    const stable = await bucket.release('shop/card', 'async () => 1')
    const canary = await bucket.release('shop/card', 'async () => 2', {
      settings: { http: { method: 'GET', path: '/shop/moved' } },
    })
    await bucket.publish({ card: withCanary(stable, canary, 100) })
    const app = await boot(bucket)
    expect((await app.inject('/bff/shop/card')).json()).toBe(2)
    expect((await app.inject('/bff/shop/moved')).statusCode).toBe(404)

    await bucket.publish({ card: canary })
    await app.needle.refresh()
    expect((await app.inject('/bff/shop/moved')).json()).toBe(2)
    expect((await app.inject('/bff/shop/card')).statusCode).toBe(404)
  })

  it('answers 503 for a function that is stopped, even one that would not load', async () => {
    const bucket = await createTestEnvironment()
    const poison = await bucket.release('shop/card', '', { script: 'throw new Error("poison")' })
    const hold = {
      mode: 'stopped',
      by: 'ann',
      reason: 'fire',
      since: '2026-01-01T00:00:00Z',
      until: null,
    } as const
    await bucket.publish({ card: { stable: poison, previous: [], rollout: null, hold } })
    const app = await boot(bucket)
    const response = await app.inject('/bff/shop/card')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ error: { code: 'FUNCTION_STOPPED' } })
    expect(app.needle.status().functions[0]).toMatchObject({ stopped: true, refusals: [] })
  })

  it('stops a function that serves, and serves again when it is resumed', async () => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', 'async () => 1')
    const since = '2026-01-01T00:00:00Z'
    const hold = { mode: 'stopped', by: 'ann', reason: 'fire', since, until: null } as const
    const steps = [card, { stable: card, previous: [], rollout: null, hold }, card]
    const statuses: number[] = []
    const app = await boot(bucket, { source: { store: bucket.store, bootDeadlineMs: 10 } })
    for (const step of steps) {
      await bucket.publish({ card: step })
      await app.needle.refresh()
      statuses.push((await app.inject('/bff/shop/card')).statusCode)
    }
    expect(statuses).toEqual([200, 503, 200])
  })

  it('survives a stray promise and a throwing timer of a function, and charges it', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({
      card: await bucket.release(
        'shop/card',
        'async () => { Promise.reject(new Error("stray")); return 1 }',
      ),
    })
    const events: string[] = []
    const app = await boot(bucket, {
      onEvent: (event) => {
        if (event.type === 'strayFailure') events.push(`${event.revision} ${event.message}`)
      },
    })
    const response = await app.inject('/bff/shop/card')
    expect(response.json()).toBe(1)
    await expect.poll(() => events.length).toBe(1)
    expect(events[0]).toContain(String(response.headers['x-needle-revision']))
    expect(events[0]).toContain('stray')
  })
})

describe('the route of the host', () => {
  const echo = 'async (input, { caller }) => ({ input, caller })'
  const post = { http: { method: 'POST', path: '/shop/card' }, maxBodyBytes: 64 } as const

  it('runs the hooks of the host, hands over the caller and leaves other routes alone', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: await bucket.release('shop/card', echo, { settings: post }) })
    const app = await boot(
      bucket,
      { context: (request): object => ({ user: request.headers['x-user'] }) },
      (app) => {
        app.addHook('onRequest', async (request, reply) => {
          if (request.headers['x-user'] === undefined) await reply.code(401).send({ no: 'entry' })
        })
        app.post('/own', (request, reply) => reply.send(request.body))
      },
    )
    const request = { method: 'POST', url: '/bff/shop/card', payload: { a: 1 } } as const
    expect((await app.inject(request)).statusCode).toBe(401)
    const headers = { 'x-user': 'ann' }
    expect((await app.inject({ ...request, headers })).json()).toEqual({
      input: { a: 1 },
      caller: { user: 'ann' },
    })
    expect((await app.inject({ ...request, headers, url: '/own' })).json()).toEqual({ a: 1 })
  })

  it.each([
    ['ROUTE_NOT_FOUND', 404, { method: 'POST', url: '/bff/nowhere', payload: { a: 1 } }],
    ['METHOD_NOT_ALLOWED', 405, { method: 'GET', url: '/bff/shop/card' }],
    [
      'BODY_TOO_LARGE',
      413,
      { method: 'POST', url: '/bff/shop/card', payload: { a: 'x'.repeat(99) } },
    ],
    [
      'BODY_NOT_JSON',
      400,
      {
        method: 'POST',
        url: '/bff/shop/card',
        payload: '{"a":',
        headers: { 'content-type': 'application/json' },
      },
    ],
  ] as const)('answers %s with %i', async (code, status, request) => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: await bucket.release('shop/card', echo, { settings: post }) })
    const app = await boot(bucket)
    const response = await app.inject({ ...request })
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ error: { code } })
    expect(response.headers['allow']).toBe(status === 405 ? 'POST' : undefined)
  })

  it('refuses a body that turns out too large while it arrives', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: await bucket.release('shop/card', echo, { settings: post }) })
    const address = await (await boot(bucket)).listen({ port: 0, host: '127.0.0.1' })
    const body = new ReadableStream({
      pull: async (controller) => {
        await new Promise((go) => setTimeout(go, 5))
        controller.enqueue(new Uint8Array(50))
      },
    })
    const response = await fetch(`${address}/bff/shop/card`, {
      method: 'POST',
      body,
      duplex: 'half',
    })
    expect(response.status).toBe(413)
  })

  it('streams, tells the function when the client goes away, and answers HEAD', async () => {
    const bucket = await createTestEnvironment()
    const stream = `async (input, { signal, services }) => new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((go) => setTimeout(go, 5))
        controller.enqueue(new TextEncoder().encode('tick '))
      },
      cancel() { services.note.left() },
    }), { headers: { 'content-type': 'text/plain' } })`
    await bucket.publish({
      card: await bucket.release('shop/card', stream, { settings: { uses: ['note'] } }),
    })
    const left = Promise.withResolvers<void>()
    const services: object = { note: { left: () => left.resolve() } }
    const app = await boot(bucket, { services })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })

    const leaving = new AbortController()
    const response = await fetch(`${address}/bff/shop/card`, { signal: leaving.signal })
    const reader = response.body?.getReader()
    expect(new TextDecoder().decode((await reader?.read())?.value)).toContain('tick')
    leaving.abort()
    await left.promise

    const head = await fetch(`${address}/bff/shop/card`, { method: 'HEAD' })
    expect(head.status).toBe(200)
    expect(head.headers.get('x-needle-revision')).toMatch(/^shop\/card@/)
  })
})
