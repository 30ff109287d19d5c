import { get } from 'node:http'
import { json } from 'node:stream/consumers'
import Fastify from 'fastify'
import { expect, it } from 'vitest'
import { needle } from '../src/hosts/fastify.ts'
import { quietOptions } from './support/quiet-options.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const endless = `async () => new Response(new ReadableStream({
  async pull(controller) {
    await new Promise((go) => setTimeout(go, 20))
    controller.enqueue(new Uint8Array(1))
  },
}))`
const slow = `async (input, { services }) => {
  services.begun()
  await new Promise((go) => setTimeout(go, 100))
  return { v: 1 }
}`

it('gives open connections the drain deadline, and lets calls end within it', async () => {
  const bucket = await createTestEnvironment()
  const settings = { uses: ['begun'] }
  await bucket.publish({ endless, slow: await bucket.release('shop/slow', slow, { settings }) })
  const begun = Promise.withResolvers<void>()
  const app = Fastify()
  const services: object = { begun: () => begun.resolve() }
  await app.register(
    needle,
    quietOptions(bucket, { prefix: '/bff', drainTimeoutMs: 500, services }),
  )
  const base = await app.listen({ host: '127.0.0.1', port: 0 })
  const stream = await fetch(`${base}/bff/shop/endless`)
  const cut = stream.text().then(
    () => 'ended',
    () => 'cut',
  )
  const answer = ask(`${base}/bff/shop/slow`)
  await begun.promise

  await app.close()
  expect(await cut).toBe('cut')
  expect(await answer).toEqual({ v: 1 })
}, 10_000)

/** By a connection that nobody keeps alive, which Fastify would wait for. */
function ask(url: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => resolve(json(response))).on('error', reject)
  })
}
