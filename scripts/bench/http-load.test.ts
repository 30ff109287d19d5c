import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { createLoadClient, runLoad } from './http-load.ts'

const stops: (() => void)[] = []
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
})

async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer).listen(0, '127.0.0.1')
  stops.push(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('No port')
  return address.port
}

const exchange = {
  request: Buffer.from('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'),
  rightBodies: [Buffer.from('{"right":true}')],
}
const load = { exchanges: [exchange], connections: 4, durationMs: 150 }

describe('the load generator', () => {
  it('counts every right answer', async () => {
    let served = 0
    const port = await listen((_, response) => {
      served++
      response.end('{"right":true}')
    })
    const { answered, failed } = await runLoad({ ...load, port })
    expect(failed).toBe(0)
    expect(answered).toBe(served)
    expect(answered).toBeGreaterThan(10)
  })

  it('asks over the same connections again, unless they were idle for long', async () => {
    const sockets = new Set<unknown>()
    const port = await listen((request, response) => {
      sockets.add(request.socket)
      response.end('{"right":true}')
    })
    const client = createLoadClient({ port, connections: 4 })
    stops.push(() => client.close())
    await client.run(load)
    await client.run(load)
    expect(sockets.size).toBe(4)
    const now = performance.now()
    const later = vi.spyOn(performance, 'now').mockReturnValueOnce(now + 4500)
    stops.push(() => later.mockRestore())
    const { failed } = await client.run(load)
    expect({ failed, connections: sockets.size }).toEqual({ failed: 0, connections: 8 })
  })

  it('is idle while a slow server keeps it waiting', async () => {
    const port = await listen((_, response) => {
      setTimeout(() => response.end('{"right":true}'), 50)
    })
    const { answered, busy } = await runLoad({ ...load, port, connections: 1 })
    expect(answered).toBeGreaterThan(0)
    expect(busy).toBeGreaterThan(0)
    expect(busy).toBeLessThan(0.5)
  })

  it('understands an answer that arrives in pieces', async () => {
    const port = await listen((_, response) => {
      response.setHeader('content-length', 14)
      response.write('{"rig')
      setImmediate(() => response.end('ht":true}'))
    })
    const { answered, failed } = await runLoad({ ...load, port })
    expect(failed).toBe(0)
    expect(answered).toBeGreaterThan(10)
  })

  it.each([
    { wrong: 'another body', answer: '{"right":null}', status: 200 },
    { wrong: 'another status', answer: '{"right":true}', status: 503 },
  ])('counts $wrong as a failure and shows it', async ({ answer, status }) => {
    const port = await listen((_, response) => {
      response.writeHead(status)
      response.end(answer)
    })
    const { answered, failed, firstFailure } = await runLoad({ ...load, port })
    expect(answered).toBe(0)
    expect(failed).toBeGreaterThan(0)
    expect(firstFailure).toContain(answer)
  })

  it('takes any of the right bodies', async () => {
    let served = 0
    const port = await listen((_, response) => response.end(`{"version":${1 + (served++ % 2)}}`))
    const both = { ...exchange, rightBodies: [1, 2].map((n) => Buffer.from(`{"version":${n}}`)) }
    const { answered, failed } = await runLoad({ ...load, port, exchanges: [both] })
    expect(failed).toBe(0)
    expect(answered).toBeGreaterThan(10)
  })

  it('goes on with the exchanges where its last load ended', async () => {
    const asked: (string | undefined)[] = []
    const port = await listen((request, response) => {
      asked.push(request.url)
      response.end('{"right":true}')
    })
    const client = createLoadClient({ port, connections: 1 })
    stops.push(() => client.close())
    const paths = Array.from({ length: 1000 }, (_, index) => `/${index}`)
    const many = paths.map((path) => ({
      ...exchange,
      request: Buffer.from(`GET ${path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n`),
    }))
    for (let run = 0; run < 3; run++) await client.run({ exchanges: many, durationMs: 10 })
    expect(asked.slice(0, 1000)).toEqual(paths.slice(0, asked.length))
  })

  it('ends before its time when it is told to', async () => {
    const port = await listen((_, response) => response.end('{"right":true}'))
    const signal = AbortSignal.timeout(50)
    const { durationMs, failed } = await runLoad({ ...load, port, durationMs: 60_000, signal })
    expect(failed).toBe(0)
    expect(durationMs).toBeLessThan(10_000)
  })

  it('counts a connection that the server closes as a failure', async () => {
    const port = await listen((request) => request.socket.destroy())
    const { answered, failed } = await runLoad({ ...load, port, durationMs: 20 })
    expect(answered).toBe(0)
    expect(failed).toBeGreaterThan(0)
  })

  it('counts waiting for a busy server into the latency when requests arrive by rate', async () => {
    const port = await listen((_, response) => {
      setTimeout(() => response.end('{"right":true}'), 40)
    })
    const rated = { ...load, port, connections: 1, ratePerSecond: 100 }
    const { answered, p99Ms } = await runLoad(rated)
    expect(answered).toBeGreaterThan(5)
    expect(p99Ms).toBeGreaterThan(100)
  })
})
