import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { afterEach, describe, expect, it } from 'vitest'
import { runLoad } from './http-load.ts'

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

const exchanges = [
  {
    request: Buffer.from('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n'),
    expectedBody: Buffer.from('{"right":true}'),
  },
]
const load = { exchanges, connections: 4, durationMs: 150 }

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
