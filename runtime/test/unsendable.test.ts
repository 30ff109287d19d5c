import Fastify from 'fastify'
import { expect, it } from 'vitest'
import { needle } from '../src/hosts/fastify.ts'
import { quietOptions } from './support/quiet-options.ts'
import { createTestEnvironment } from './support/test-environment.ts'

it.each([
  { method: 'GET', urls: ['/shop/text'] },
  { method: 'HEAD', urls: ['/shop/text', '/shop/card'] },
] as const)(
  'answers 500 to $method where an answer cannot be written',
  async ({ method, urls }) => {
    const bucket = await createTestEnvironment()
    await bucket.publish({
      card: `() => new Response(new ReadableStream({
      async pull(to) { to.enqueue('a'); await new Promise((resolve) => setTimeout(resolve, 5)) }
    }))`,
      text: '() => "text"',
    })
    const app = Fastify()
    // Of what a hook sets nothing has been checked.
    app.addHook('preHandler', (_, reply, done) => {
      reply.header('x-odd', 'a\nb')
      done()
    })
    await app.register(needle, quietOptions(bucket, {}))
    for (const url of urls) {
      const { statusCode, headers } = await app.inject({ method, url })
      expect(statusCode).toBe(500)
      expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8' })
      expect(headers).not.toHaveProperty('x-odd')
    }
    await app.close()
  },
)
