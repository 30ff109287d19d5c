import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, describe, expect, it } from 'vitest'
import { needle, type NeedlePluginOptions } from '../src/hosts/fastify.ts'
import { createTestEnvironment, silentLog } from './support/test-environment.ts'

const opened: FastifyInstance[] = []

afterEach(async () => {
  for (const app of opened.splice(0)) await app.close()
})

async function boot(options: Omit<NeedlePluginOptions, 'groups'>) {
  const app = Fastify()
  opened.push(app)
  app.register(needle, { groups: ['shop'], log: silentLog, report: false, ...options })
  await app.ready()
  return app
}

describe('the Fastify plugin', () => {
  it('serves what is published, then what is published next', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card: await bucket.release('shop/card', 'async () => ({ v: 1 })') })
    const app = await boot({
      prefix: '/bff',
      source: { store: bucket.store },
      trust: bucket.trust.rootBytes,
    })

    const first = await app.inject('/bff/shop/card')
    expect(first.json()).toEqual({ v: 1 })
    expect(first.headers['x-needle-revision']).toMatch(/^shop\/card@[0-9a-f]{12}$/)

    await bucket.publish({ card: await bucket.release('shop/card', 'async () => ({ v: 2 })') })
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
})
