import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, it } from 'vitest'
import type { ReleaseRef } from '../src/manifest/group-document.ts'
import { testFunctionState, testRollout, testStop } from '../src/manifest/testing/test-documents.ts'
import { startHost } from './support/start-host.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const withCanary = (stable: ReleaseRef, canary: ReleaseRef, weightPercent: number) =>
  testFunctionState(stable, { rollout: testRollout(canary, { weightPercent }) })

const slowCard = (v: number): string =>
  `async () => { await new Promise((go) => setTimeout(go, 3)); return { v: ${v} } }`

describe('under traffic', () => {
  it('fails no request while releases are swapped', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: slowCard(1) })
    const app = await startHost(bucket)
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
      await bucket.publish({ card: slowCard(v) })
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
    const app = await startHost(bucket)
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
    const app = await startHost(bucket)
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
    await bucket.publish({ card: testFunctionState(poison, { hold: testStop }) })
    const app = await startHost(bucket)
    const response = await app.inject('/bff/shop/card')
    expect(response.statusCode).toBe(503)
    expect(response.json()).toMatchObject({ error: { code: 'FUNCTION_STOPPED' } })
    expect(app.needle.status().functions[0]).toMatchObject({ stopped: true, refusals: [] })
  })

  it('stops a function that serves, and serves again when it is resumed', async () => {
    const bucket = await createTestEnvironment()
    const card = await bucket.release('shop/card', 'async () => 1')
    const steps = [card, testFunctionState(card, { hold: testStop }), card]
    const statuses: number[] = []
    const app = await startHost(bucket, { source: { bootDeadlineMs: 10 } })
    for (const step of steps) {
      await bucket.publish({ card: step })
      await app.needle.refresh()
      statuses.push((await app.inject('/bff/shop/card')).statusCode)
    }
    expect(statuses).toEqual([200, 503, 200])
  })

  it('survives a stray promise and a throwing timer of a function, and charges it', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: 'async () => { Promise.reject(new Error("stray")); return 1 }' })
    const events: string[] = []
    const app = await startHost(bucket, {
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
  const settings = { http: { method: 'POST', path: '/shop/card' }, maxBodyBytes: 64 } as const
  const publishEcho = async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: await bucket.release('shop/card', echo, { settings }) })
    return bucket
  }

  it('runs the hooks of the host, hands over the caller and leaves other routes alone', async () => {
    const app = await startHost(
      await publishEcho(),
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
    const app = await startHost(await publishEcho())
    const response = await app.inject({ ...request })
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ error: { code } })
    expect(response.headers['allow']).toBe(status === 405 ? 'POST' : undefined)
  })

  it('refuses a body that turns out too large while it arrives', async () => {
    const address = await (
      await startHost(await publishEcho())
    ).listen({ port: 0, host: '127.0.0.1' })
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

  it('never lets an answer reach into the next one on its connection, whatever length it claims', async () => {
    const bucket = await createTestEnvironment()
    const claims = `() => new Response(new ReadableStream({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('one'))
        await new Promise((go) => setTimeout(go, 5))
        controller.enqueue(new TextEncoder().encode('two'))
        controller.close()
      },
    }), { headers: { 'content-length': '3' } })`
    await bucket.publish({ claims, card: 'async () => ({ v: 1 })' })
    const app = await startHost(bucket)
    const address = new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
    const socket = connect(Number(address.port), address.hostname)
    const head = 'HTTP/1.1\r\nhost: x\r\n'
    socket.write(`GET /bff/shop/claims ${head}\r\n`)
    socket.write(`GET /bff/shop/card ${head}connection: close\r\n\r\n`)
    const [first = '', second] = (await text(socket)).split('HTTP/1.1 200 OK').slice(1)
    expect(first).toMatch(/transfer-encoding: chunked[^]*one[^]*two\r\n0\r\n\r\n$/i)
    expect(first).not.toMatch(/content-length/i)
    expect(second).toMatch(/\r\n\r\n\{"v":1\}$/)
  })

  it('survives an answer that breaks off with no error', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({
      breaks: `() => new Response(new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode('one'))
          await new Promise((go) => setTimeout(go, 50))
          controller.error()
        },
      }))`,
      card: 'async () => ({ v: 1 })',
    })
    const app = await startHost(bucket)
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const response = await fetch(`${address}/bff/shop/breaks`)
    await expect(response.text()).rejects.toThrow('terminated')
    // What ended the process would be an unhandled rejection here, which fails the run.
    expect((await fetch(`${address}/bff/shop/card`)).status).toBe(200)
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
    const app = await startHost(bucket, { services })
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
