import { connect } from 'node:net'
import Fastify, { type FastifyInstance, type InjectOptions } from 'fastify'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { needle } from '../src/hosts/fastify.ts'
import { quietOptions } from './support/quiet-options.ts'
import { createTestEnvironment } from './support/test-environment.ts'

/** Wants `n`, a whole number, and answers what it was given. */
const script = `var __needle_function = { default: {
  input: { '~standard': { version: 1, vendor: 'test', validate: (value) => Number.isInteger(value.n)
    ? { value } : { issues: [{ message: 'expected a whole number', path: ['n'] }] } } },
  handler: async (input) => input,
} }`

let app: FastifyInstance
let port: number

beforeAll(async () => {
  const bucket = await createTestEnvironment()
  const settings = {
    http: { method: 'POST', path: '/shop/card/:id' },
    maxBodyBytes: 100,
  } as const
  await bucket.publish({ card: await bucket.release('shop/card', '', { script, settings }) })
  app = Fastify({ forceCloseConnections: true })
  await app.register(needle, quietOptions(bucket, {}))
  port = Number(new URL(await app.listen({ port: 0, host: '127.0.0.1' })).port)
})
afterAll(() => app.close())

function post(options: InjectOptions) {
  const headers = { 'content-type': 'application/json', ...options.headers }
  return app.inject({ method: 'POST', url: '/shop/card/7', ...options, headers })
}

describe('a request', () => {
  it.each<[string, number, string, InjectOptions, string]>([
    ['with half a body', 400, 'BODY_NOT_JSON', { payload: '{"n":' }, 'cannot be read'],
    [
      'whose body is not UTF-8',
      400,
      'BODY_NOT_JSON',
      { payload: Buffer.from([...Buffer.from('{"n":1,"a":"'), 0xff, ...Buffer.from('"}')]) },
      'UTF-8',
    ],
    [
      'whose body is compressed all the same',
      400,
      'BODY_NOT_JSON',
      { payload: Buffer.from([0x1f, 0x8b, 8, 0]), headers: { 'content-encoding': 'gzip' } },
      'UTF-8',
    ],
    [
      'whose body is of another type',
      415,
      'BODY_UNSUPPORTED_TYPE',
      { payload: '<n>1</n>', headers: { 'content-type': 'application/xml' } },
      'application/json',
    ],
    [
      'whose body is in another encoding',
      415,
      'BODY_UNSUPPORTED_TYPE',
      { payload: '{"n":1}', headers: { 'content-type': 'application/json; charset=utf-16' } },
      'UTF-8',
    ],
    [
      'whose body is too large',
      413,
      'BODY_TOO_LARGE',
      { payload: JSON.stringify({ n: 1, a: 'x'.repeat(100) }) },
      '100 bytes',
    ],
    ['whose body is no object', 400, 'INPUT_INVALID', { payload: '[1]' }, 'must be an object'],
    ['that fails the schema', 400, 'INPUT_INVALID', { payload: '{"n":"1"}' }, '"path":"n"'],
    ['without the body the schema wants', 400, 'INPUT_INVALID', {}, '"path":"n"'],
    [
      'whose body redefines a path parameter',
      400,
      'INPUT_REDEFINED',
      { payload: '{"n":1,"id":"8"}' },
      '"path":"id"',
    ],
    [
      'whose query redefines a path parameter',
      400,
      'INPUT_REDEFINED',
      { url: '/shop/card/7?id=8', payload: '{"n":1}' },
      '"path":"id"',
    ],
    [
      'whose body redefines the query',
      400,
      'INPUT_REDEFINED',
      { url: '/shop/card/7?n=1', payload: '{"n":1}' },
      '"path":"n"',
    ],
  ])('%s is answered %i %s', async (_title, status, code, options, says) => {
    const response = await post(options)
    expect(response.statusCode).toBe(status)
    expect(response.json()).toMatchObject({ error: { code } })
    expect(response.body).toContain(says)
    expect(response.headers['content-type']).toContain('application/json')

    const next = await post({ payload: '{"n":1}' })
    expect(next.json()).toEqual({ id: '7', n: 1 })
  })

  it.each([
    ['announces too large a body', 'content-length: 1000000\r\n\r\n{"n"', 'HTTP/1.1 413'],
    [
      'sends a chunk that is too large',
      `transfer-encoding: chunked\r\n\r\n70\r\n${'x'.repeat(112)}\r\n`,
      'HTTP/1.1 413',
    ],
  ])('that %s is answered before it ends', async (_title, rest, answer) => {
    const head = 'POST /shop/card/7 HTTP/1.1\r\nhost: bff\r\ncontent-type: application/json\r\n'
    const socket = connect(port, '127.0.0.1', () => socket.write(head + rest))
    const received: Buffer[] = []
    for await (const chunk of socket) received.push(Buffer.from(chunk))
    expect(Buffer.concat(received).toString()).toContain(answer)
    expect(Buffer.concat(received).toString()).toContain('BODY_TOO_LARGE')
    expect((await post({ payload: '{"n":1}' })).statusCode).toBe(200)
  })
})
