import Fastify from 'fastify'
import { describe, expect, it, onTestFinished } from 'vitest'
import { needle } from '../src/hosts/fastify.ts'
import { quietOptions } from './support/quiet-options.ts'
import { createTestEnvironment } from './support/test-environment.ts'

type Line = Record<string, unknown>

/** A host with pino as Fastify brings it; what a call of this function has it write, by message. */
async function linesOf(handler: string, serializers = {}) {
  const bucket = await createTestEnvironment()
  await bucket.publish({ card: handler })
  const lines: Line[] = []
  const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
  const app = Fastify({ logger: { stream, level: 'debug', serializers } })
  onTestFinished(() => app.close())
  const { log: _, ...options } = quietOptions(bucket, { prefix: '/bff' })
  await app.register(needle, options)
  const { statusCode } = await app.inject('/bff/shop/card')
  return { statusCode, line: (message: string) => lines.find(({ msg }) => msg === message) }
}

describe('a line of a function in the log of its host', () => {
  it('has its fields, and tells whose it is', async () => {
    const { statusCode, line } = await linesOf(
      `async (input, { log }) => (log.warn('low', { left: 2 }), log.debug('none'), {})`,
    )
    expect(statusCode).toBe(200)
    const told = {
      function: 'shop/card',
      revision: expect.stringMatching(/^shop\/card@[0-9a-f]{12}$/),
      requestId: expect.stringMatching(/./),
    }
    expect(line('low')).toMatchObject({ level: 40, left: 2, ...told })
    expect(line('none')).toMatchObject({ level: 20, ...told })
  })

  it.each(['req', 'res', 'err'])(
    'may have a field "%s" that is none of a request',
    async (name) => {
      const { statusCode, line } = await linesOf(
        `async (input, { log }) => (log.warn('odd', { ${name}: null, n: 1 }), {})`,
      )
      expect(statusCode).toBe(200)
      expect(line('odd')).toMatchObject({ n: 1, fields: { [name]: null } })
    },
  )

  it('keeps the level and time the host gives it', async () => {
    const { line } = await linesOf(
      `async (input, { log }) => (log.warn('own', { level: 10, time: 1, msg: 'forged', fields: 2 }), {})`,
    )
    const fields = { level: 10, time: 1, msg: 'forged', fields: 2 }
    expect(line('own')).toMatchObject({ level: 40, fields })
    expect(line('own')?.['time']).toBeGreaterThan(1)
  })

  it('is written without what a serializer of the host fails at', async () => {
    const { statusCode, line } = await linesOf(
      `async (input, { log }) => (log.warn('who', { user: null }), {})`,
      { user: ({ name }: { name: string }) => name.toUpperCase() },
    )
    expect(statusCode).toBe(200)
    expect(line('who')).toMatchObject({
      function: 'shop/card',
      requestId: expect.stringMatching(/./),
      unwritable: expect.stringContaining('null'),
    })
  })
})
