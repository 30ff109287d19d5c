import { describe, expect, it } from 'vitest'
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
})
