import * as z from 'zod/mini'
import { describe, expect, test, vi } from 'vitest'
import {
  defineFunction,
  type FunctionDefinition,
  HttpError,
  type Logger,
  reply,
} from './authoring/index.ts'
import { callFunction } from './call-function.ts'

const logTo = (error: Logger['error']): Logger => ({ ...console, error })

describe('callFunction', () => {
  test('merges path, query and body into the input', async () => {
    const echo = defineFunction({ http: { path: '/echo/:id' }, handler: (input) => input })
    const result = await callFunction(echo, {
      params: { id: '7' },
      query: { tag: ['a', 'b'], q: 'x y' },
      body: { deep: { n: 1 } },
    })
    expect(result).toMatchObject({ status: 200, errorCode: null })
    expect(result.body).toEqual({ id: '7', tag: ['a', 'b'], q: 'x y', deep: { n: 1 } })
  })

  test('refuses a body that redefines the path', async () => {
    const echo = defineFunction({ http: { path: '/echo/:id' }, handler: (input) => input })
    const result = await callFunction(echo, { params: { id: '7' }, body: { id: '8' } })
    expect(result).toMatchObject({ status: 400, errorCode: 'INPUT_REDEFINED' })
  })

  test('calls a plain async function', async () => {
    const result = await callFunction(async ({ n }: { n: number }) => n * 2, { body: { n: 4 } })
    expect(result).toMatchObject({ status: 200, body: 8 })
  })

  test('infers the body from the output schema, once the error is ruled out', async () => {
    const typed = defineFunction({
      output: z.object({ cents: z.int() }),
      handler: () => ({ cents: 5 }),
    })
    const result = await callFunction(typed, {})
    const cents: number | null = result.errorCode === null ? result.body.cents : null
    expect(cents).toBe(5)
  })

  test('is 500 when the result breaks the output schema, and logs why', async () => {
    const logError = vi.fn<Logger['error']>()
    const broken = defineFunction({
      output: z.object({ cents: z.int() }),
      handler: () => ({ cents: 0.5 }),
    })
    const result = await callFunction(broken, { log: logTo(logError) })
    expect(result).toMatchObject({ status: 500, errorCode: 'OUTPUT_INVALID' })
    await vi.waitFor(() => expect(JSON.stringify(logError.mock.calls)).toContain('cents'))
  })

  test('hides what a function throws from the client and shows it to the log', async () => {
    const logError = vi.fn<Logger['error']>()
    const thrower = defineFunction({
      handler: () => {
        throw new Error('the password is hunter2')
      },
    })
    const result = await callFunction(thrower, { log: logTo(logError) })
    expect(result).toMatchObject({ status: 500, errorCode: 'FUNCTION_FAILED' })
    expect(JSON.stringify(result.body)).not.toContain('hunter2')
    await vi.waitFor(() => expect(JSON.stringify(logError.mock.calls)).toContain('hunter2'))
  })

  test('maps HttpError and reply as a host does', async () => {
    const gone = defineFunction({
      handler: () => {
        throw new HttpError(410, 'GONE', 'No more', { headers: { 'Retry-After': '9' } })
      },
    })
    expect(await callFunction(gone, {})).toMatchObject({
      status: 410,
      errorCode: 'GONE',
      headers: { 'retry-after': '9' },
      body: { error: { code: 'GONE', message: 'No more' } },
    })
    const made = defineFunction({ handler: () => reply(201, { id: 1 }, { location: '/1' }) })
    expect(await callFunction(made, {})).toMatchObject({
      status: 201,
      body: { id: 1 },
      headers: { location: '/1' },
    })
  })

  test('gives up at the deadline of the function', async () => {
    const slow = defineFunction({ timeoutMs: 20, handler: () => new Promise(() => undefined) })
    expect(await callFunction(slow, {})).toMatchObject({
      status: 504,
      errorCode: 'FUNCTION_TIMEOUT',
    })
  })

  test('hands over no service that the function does not use', async () => {
    const curious = defineFunction({ handler: (_, { services }) => Object.keys(services) })
    const result = await callFunction(curious, { services: { secret: {} } })
    expect(result.body).toEqual([])
  })

  test('names a service the test forgot, as a host would', async () => {
    const priced: FunctionDefinition = {
      handler: () => null,
      ...Object.fromEntries([['uses', ['price']]]),
    }
    await expect(callFunction(priced, {})).rejects.toMatchObject({
      code: 'SERVICE_MISSING',
      message: expect.stringContaining('"price"'),
    })
  })

  test('fails for a schema JSON cannot carry, as the build would', async () => {
    const dated = defineFunction({ output: z.date(), handler: () => new Date() })
    await expect(callFunction(dated, {})).rejects.toMatchObject({
      code: 'FUNCTION_SCHEMA_INEXPRESSIBLE',
    })
  })
})
