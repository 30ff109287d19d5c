import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createMetricsRegistry } from '../metrics/metrics-registry.ts'
import { createManualClock } from '../../test/support/manual-clock.ts'
import { currentCall } from './attribution.ts'
import { createDeadlineWheel } from './deadline-wheel.ts'
import { artifactOf, bundle, loadFixture, textOf, toCall } from './testing/revision-fixture.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f-]{27}$/
/** A Standard Schema by hand that wants a string `id` and passes it on in capitals. */
const schema = `{ '~standard': { version: 1, vendor: 'test', validate: (value) =>
  typeof value?.id === 'string' ? { value: { id: value.id.toUpperCase() } }
    : { issues: [{ message: 'expected a string', path: ['id', { key: 0 }] }] } } }`

describe('results', () => {
  it.each<[string, string, object]>([
    ['a value is JSON', `() => ({ a: [1] })`, { status: 200, body: { a: [1] } }],
    ['a promised value is JSON', `async () => 'x'`, { status: 200, body: 'x' }],
    ['null is JSON', `() => null`, { status: 200, body: null }],
    ['undefined is 204 without a body', `() => undefined`, { status: 204, body: null }],
  ])('%s', async (_title, handler, expected) => {
    const { answer } = await loadFixture(artifactOf(handler))
    expect(await answer()).toEqual(expected)
  })

  it('reply sets status, body and headers', async () => {
    const { source } = await bundle(`
      import { reply } from '@needle-faas/runtime/function'
      export default () => reply(201, { id: 1 }, { Location: '/shop/card/1' })`)
    const { invoke, revision } = await loadFixture(source)
    expect(await invoke()).toEqual({
      status: 201,
      headers: {
        'content-type': 'application/json; charset=utf-8',
        'x-needle-revision': revision.id,
        location: '/shop/card/1',
      },
      body: '{"id":1}',
      errorCode: null,
      functionFault: false,
    })
  })

  it('a string replied with a type of its own is sent as it is', async () => {
    const { source } = await bundle(`
      import { reply } from '@needle-faas/runtime/function'
      export default () => reply(200, 'a,b', { 'content-type': 'text/csv' })`)
    const { body, headers } = await (await loadFixture(source)).invoke()
    expect(body).toBe('a,b')
    expect(headers['content-type']).toBe('text/csv')
  })

  it('a Response keeps its status, headers and several cookies, and is sent whole when it is', async () => {
    const { invoke } = await loadFixture(
      artifactOf(`() => {
        const headers = new Headers({ 'x-a': '1' })
        headers.append('set-cookie', 'a=1')
        headers.append('set-cookie', 'b=2')
        return new Response('plain', { status: 418, headers })
      }`),
    )
    const outcome = await invoke()
    expect(outcome.status).toBe(418)
    expect(outcome.headers).toMatchObject({ 'x-a': '1', 'set-cookie': ['a=1', 'b=2'] })
    expect(outcome.body).toBe('plain')
  })

  it.each([
    ['a reply', '() => reply(200, { a: 1 }, headers)'],
    ['a Response', '() => new Response("{}", { headers })'],
    ['an HttpError', '() => { throw new HttpError(404, "NO", "no", { headers }) }'],
  ])(
    '%s says nothing of the revision, the connection and where its message ends',
    async (_title, handler) => {
      const { source } = await bundle(`
      import { HttpError, reply } from '@needle-faas/runtime/function'
      const headers = { 'Content-Length': '1', 'Transfer-Encoding': 'chunked', Connection: 'close', 'X-Needle-Revision': 'other', 'x-a': '1' }
      export default ${handler}`)
      const { invoke, revision } = await loadFixture(source)
      const { headers } = await invoke()
      expect(headers['x-needle-revision']).toBe(revision.id)
      expect(Object.keys(headers).toSorted()).toEqual(['content-type', 'x-a', 'x-needle-revision'])
    },
  )

  it.each([
    ['a reply', '() => reply(200, "a", { ...headers, "content-type": "text/plain" })'],
    ['a Response of text', '() => new Response("a", { headers })'],
    ['an HttpError', '() => { throw new HttpError(404, "NO", "no", { headers }) }'],
    [
      'a Response somebody has fetched, decoded',
      '(input, { services }) => services.upstream.get()',
    ],
  ])('%s has no content-encoding, which its body is not in', async (_title, handler) => {
    const upstream = createServer((_request, response) => {
      response.setHeader('content-encoding', 'gzip').end(gzipSync('decoded'))
    })
    await once(upstream.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void upstream.close())
    const { port } = Object(upstream.address())
    const { source } = await bundle(`
      import { HttpError, reply } from '@needle-faas/runtime/function'
      const headers = { 'Content-Encoding': 'gzip' }
      export default ${handler}`)
    const { invoke } = await loadFixture(source, {
      settings: { uses: ['upstream'] },
      services: { upstream: { get: () => fetch(`http://127.0.0.1:${port}`) } },
    })
    const { errorCode, headers, body } = await invoke()
    expect(errorCode).not.toBe('FUNCTION_FAILED')
    expect(headers).not.toHaveProperty('content-encoding')
    expect(body).not.toBe(null)
  })

  it('bytes a function has compressed keep their content-encoding', async () => {
    const bytes = JSON.stringify([...gzipSync('a')])
    const { invoke } = await loadFixture(
      artifactOf(`() => new Response(new Uint8Array(${bytes}), {
        headers: { 'Content-Encoding': 'gzip' },
      })`),
    )
    const { headers, body } = await invoke()
    expect(headers['content-encoding']).toBe('gzip')
    expect(body instanceof Uint8Array && gunzipSync(body).toString()).toBe('a')
  })

  it('of a thenable that settles twice, or with a promise, is what await makes of it', async () => {
    const { answer } = await loadFixture(
      artifactOf('() => ({ then(done) { done(Promise.resolve({ n: 1 })); done({ n: 2 }) } })'),
    )
    expect(await answer()).toEqual({ status: 200, body: { n: 1 } })
  })

  it.each([
    `'one\\r\\ntwo: 2'`,
    'null',
    'Symbol("one")',
    '{ toString: () => "one" }',
    '["one", {}]',
  ])('a header HTTP forbids, such as %s, is a failure of the function', async (value) => {
    const { source } = await bundle(`
      import { reply } from '@needle-faas/runtime/function'
      export default () => reply(200, 1, { 'x-a': ${value} })`)
    expect((await (await loadFixture(source)).invoke()).errorCode).toBe('FUNCTION_FAILED')
  })

  it('headers of a Response are looked at, too, whatever its class makes of them', async () => {
    const source = artifactOf(`() => {
      class Odd extends Response { get headers() { return new Map([['x-a', 'one\\r\\ntwo: 2']]) } }
      return new Odd('odd')
    }`)
    expect((await (await loadFixture(source)).invoke()).errorCode).toBe('FUNCTION_FAILED')
  })

  it.each([
    ['a bigint', '1n'],
    ['a cycle', '(() => { const a = {}; a.a = a; return a })()'],
    ['a function', '(() => {})'],
  ])('%s cannot be sent and says so', async (_title, value) => {
    const { answer } = await loadFixture(artifactOf(`() => ${value}`))
    expect(await answer()).toEqual({
      status: 500,
      body: {
        error: {
          code: 'OUTPUT_INVALID',
          message: 'The result of the function cannot be sent as JSON',
          id: expect.stringMatching(uuid),
        },
      },
    })
  })
})

describe('streams', () => {
  const breaksOff = `() => {
    let chunks = 0
    return new Response(new ReadableStream({
      async pull(controller) {
        await new Promise((resolve) => setTimeout(resolve, 2))
        if ((chunks += 1) > 2) throw new Error('no more')
        controller.enqueue(new Uint8Array([65]))
      },
    }))
  }`
  const drip = `() => {
    const encoder = new TextEncoder()
    return new Response(new ReadableStream({
      async start(controller) {
        for (const part of ['one ', 'two ', 'three']) {
          controller.enqueue(encoder.encode(part))
          await new Promise((resolve) => setTimeout(resolve, 5))
        }
        controller.close()
      },
    }))
  }`

  it('passes chunks on as they come and holds the slot until the end', async () => {
    const { invoke, revision } = await loadFixture(artifactOf(drip))
    const outcome = await invoke()
    expect(outcome.body).toBeInstanceOf(ReadableStream)
    expect(revision.inFlight).toBe(1)
    expect(await textOf(outcome)).toBe('one two three')
    expect(revision.inFlight).toBe(0)
    expect(await outcome.ended).toBeNull()
  })

  it('is a 504 when the first chunk misses the deadline', async () => {
    const { answer, revision } = await loadFixture(
      artifactOf(`() => new Response(new ReadableStream({ pull: () => new Promise(() => {}) }))`),
      { settings: { timeoutMs: 20 } },
    )
    expect(await answer()).toMatchObject({ status: 504 })
    expect(revision.inFlight).toBe(0)
  })

  it.each([
    ['at the deadline, when nothing has come', 504, 'pull: () => new Promise(() => {})'],
    ['when what comes is no chunk', 500, 'start: (controller) => controller.enqueue(1)'],
  ])('is cancelled %s', async (_title, status, source) => {
    const { answer, lines } = await loadFixture(
      artifactOf(`(input, { log }) => new Response(new ReadableStream({
        ${source},
        cancel: () => log.info('cancelled'),
      }))`),
      { settings: { timeoutMs: 20 } },
    )
    expect(await answer()).toMatchObject({ status })
    await vi.waitFor(() => expect(lines.map(({ message }) => message)).toContain('cancelled'))
  })

  it('outlives the deadline once it has begun', async () => {
    const { invoke } = await loadFixture(artifactOf(drip.replace('5)', '40)')), {
      settings: { timeoutMs: 60 },
    })
    const outcome = await invoke()
    expect(await textOf(outcome)).toBe('one two three')
  })

  it('outlives its idle limit as long as it makes progress', async () => {
    const { invoke } = await loadFixture(artifactOf(drip.replace('5)', '40)')), {
      streamIdleMs: 70,
    })
    expect(await textOf(await invoke())).toBe('one two three')
  })

  it('is cut after its idle limit, and the slot is free', async () => {
    const { invoke, revision } = await loadFixture(
      artifactOf(`() => new Response(new ReadableStream({
        start: (controller) => controller.enqueue(new Uint8Array([65])),
        pull: () => new Promise(() => {}),
      }))`),
      { streamIdleMs: 20 },
    )
    const outcome = await invoke()
    await expect(textOf(outcome)).rejects.toThrow('deadline')
    expect(await outcome.ended).toBe('FUNCTION_TIMEOUT')
    expect(revision.inFlight).toBe(0)
  })

  it('ends with the client: the source is cancelled and the signal aborts', async () => {
    const { invoke, revision, lines } = await loadFixture(
      artifactOf(`(input, { signal, log }) => {
        signal.addEventListener('abort', () => log.info('aborted ' + signal.reason.code))
        return new Response(new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 2))
            controller.enqueue(new Uint8Array([65]))
          },
          cancel: () => log.info('cancelled'),
        }))
      }`),
    )
    const { body, ended } = await invoke()
    if (!(body instanceof ReadableStream)) throw new Error('the answer is no stream')
    await body.cancel()
    await vi.waitFor(() =>
      expect(lines.map(({ message }) => message).toSorted()).toEqual([
        'aborted CLIENT_CLOSED',
        'cancelled',
      ]),
    )
    expect(await ended).toBeNull()
    expect(revision.inFlight).toBe(0)
  })

  it('that breaks off after its head counts as a failed call', async () => {
    const registry = createMetricsRegistry()
    const { invoke, revision } = await loadFixture(artifactOf(breaksOff), { registry })
    const outcome = await invoke()
    await expect(textOf(outcome)).rejects.toThrow('no more')
    expect(await outcome.ended).toBe('FUNCTION_FAILED')
    const metrics = registry.find('shop/card', revision.id)
    expect(metrics).toMatchObject({ calls: 1, faults: 1 })
    expect(metrics?.errors).toEqual(new Map([['FUNCTION_FAILED', 1]]))
  })

  it.each([
    'undefined',
    'null',
    'Object.defineProperty(new Error("no"), "code", { get() { throw new Error("in code") } })',
  ])('that breaks off with %s gives the host an error it can look at', async (thrown) => {
    const source = artifactOf(breaksOff.replace("new Error('no more')", thrown))
    const error: unknown = await textOf(await (await loadFixture(source)).invoke()).catch(
      (reason: unknown) => reason,
    )
    expect(error).toMatchObject({ message: expect.stringContaining('broke its answer off') })
    expect(error).not.toHaveProperty('code')
  })

  it('that breaks off after the head of an error counts once', async () => {
    const registry = createMetricsRegistry()
    const source = artifactOf(breaksOff.replace('}))', '}), { status: 502 })'))
    const { invoke, revision } = await loadFixture(source, { registry })
    const outcome = await invoke()
    await expect(textOf(outcome)).rejects.toThrow('no more')
    expect(await outcome.ended).toBe('FUNCTION_FAILED')
    expect(registry.find('shop/card', revision.id)).toMatchObject({ calls: 1, faults: 1 })
  })

  it('is a 500 when it fails before its first chunk', async () => {
    const { invoke } = await loadFixture(
      artifactOf(`() => new Response(new ReadableStream({ pull() { throw new Error('no') } }))`),
    )
    expect(await invoke()).toMatchObject({ status: 500, errorCode: 'FUNCTION_FAILED' })
  })
})

describe('validation', () => {
  it('hands the handler what the input schema makes of it', async () => {
    const { answer } = await loadFixture(
      artifactOf(`{ input: ${schema}, handler: (input) => input }`),
    )
    expect(await answer({ body: '{"id":"a"}' })).toEqual({ status: 200, body: { id: 'A' } })
  })

  it('answers 400 with the issues and their paths', async () => {
    const { answer } = await loadFixture(artifactOf(`{ input: ${schema}, handler: () => 1 }`))
    expect(await answer({ body: '{}' })).toEqual({
      status: 400,
      body: {
        error: {
          code: 'INPUT_INVALID',
          message: 'The input does not match what the function accepts',
          details: [{ path: 'id.0', message: 'expected a string' }],
        },
      },
    })
  })

  it.each([
    ['a value', '({ b: 2, a: "\\"" })'],
    ['a reply', 'reply(201, { b: 2, a: "\\"" })'],
  ])('sends %s that fits as the output schema has it', async (_title, result) => {
    const { source } = await bundle(`
      import * as z from 'zod/mini'
      import { defineFunction, reply } from '@needle-faas/runtime/function'
      export default defineFunction({
        http: { method: 'GET', path: '/test' },
        output: z.object({ a: z.string(), b: z.int() }),
        handler: async () => ${result},
      })`)
    const { invoke } = await loadFixture(source)
    const { body, headers } = await invoke()
    expect(body).toBe('{"a":"\\"","b":2}')
    expect(headers['content-type']).toBe('application/json; charset=utf-8')
  })

  it('sends what the output schema makes of the result', async () => {
    const { answer } = await loadFixture(
      artifactOf(`{ output: ${schema}, handler: () => ({ id: 'a', secret: 1 }) }`),
    )
    expect(await answer()).toEqual({ status: 200, body: { id: 'A' } })
  })

  it('never sends an invalid result; its issues are in the log only', async () => {
    const { invoke, lines } = await loadFixture(
      artifactOf(`{ output: ${schema}, handler: () => ({ secret: 1 }) }`),
    )
    const outcome = await invoke()
    expect(outcome).toMatchObject({ status: 500, errorCode: 'OUTPUT_INVALID', functionFault: true })
    expect(await textOf(outcome)).not.toContain('expected a string')
    await vi.waitFor(() => expect(lines.at(-1)?.fields['error']).toContain('expected a string'))
  })

  it('waits for a schema that validates asynchronously', async () => {
    const slow = schema.replace('(value) =>', 'async (value) =>')
    const { answer } = await loadFixture(
      artifactOf(`{ input: ${slow}, output: ${slow}, handler: async (input) => input }`),
    )
    expect(await answer({ body: '{"id":"a"}' })).toEqual({ status: 200, body: { id: 'A' } })
    expect(await answer({ body: '{}' })).toMatchObject({ status: 400 })
  })

  it.each([
    ['input', 'undefined'],
    ['input', '{ issues: [{ message: "no", path: [null] }] }'],
    ['output', 'null'],
    ['output', '{ issues: [null] }'],
  ])('is a 500 when the %s schema comes to %s, later', async (side, result) => {
    const odd = `{ '~standard': { version: 1, vendor: 'test', validate: async () => (${result}) } }`
    const { answer } = await loadFixture(artifactOf(`{ ${side}: ${odd}, handler: () => ({}) }`))
    expect(await answer()).toMatchObject({
      status: 500,
      body: { error: { code: 'FUNCTION_FAILED' } },
    })
  })

  it('tells of a hundred issues, and how many more there are', async () => {
    const many = `{ '~standard': { version: 1, vendor: 'test', validate: () =>
      ({ issues: Array.from({ length: 5000 }, (_, at) => ({ message: 'no', path: [at] })) }) } }`
    const { answer } = await loadFixture(artifactOf(`{ input: ${many}, handler: () => ({}) }`))
    const { status, body } = await answer()
    expect(status).toBe(400)
    const details = Array.from({ length: 100 }, (_, at) => ({ path: String(at), message: 'no' }))
    expect(body).toMatchObject({
      error: { details: [...details, { path: '', message: 'and 4900 more issues' }] },
    })
  })
})

describe('errors', () => {
  it('an HttpError is answered as it says', async () => {
    const { source } = await bundle(`
      import { HttpError } from '@needle-faas/runtime/function'
      export default () => {
        throw new HttpError(404, 'NO_CARD', 'No such card', { details: { id: 7 }, headers: { 'X-A': '1' } })
      }`)
    const outcome = await (await loadFixture(source)).invoke()
    expect(outcome).toMatchObject({ status: 404, errorCode: 'NO_CARD', functionFault: false })
    expect(outcome.headers['x-a']).toBe('1')
    expect(JSON.parse(await textOf(outcome))).toEqual({
      error: { code: 'NO_CARD', message: 'No such card', details: { id: 7 } },
    })
  })

  it('anything else is a 500 whose message is in the log only, under the id of the answer', async () => {
    const { answer, lines, revision } = await loadFixture(
      artifactOf(`async () => { throw new Error('password is 123') }`),
    )
    const { status, body } = await answer()
    expect(status).toBe(500)
    expect(body).toEqual({
      error: {
        code: 'FUNCTION_FAILED',
        message: expect.not.stringContaining('123'),
        id: expect.stringMatching(uuid),
      },
    })
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    expect(body).toMatchObject({ error: { id: lines[0]?.fields['id'] } })
    expect(lines[0]?.fields).toMatchObject({
      requestId: 'req-1',
      revision: revision.id,
      error: expect.stringContaining('password is 123'),
    })
  })

  it.each([
    'null',
    'undefined',
    '"text"',
    '{ status: 404 }',
    // As of another package's class.
    '{ [Symbol.for("needle.http-error")]: true, status: 404, code: 404, message: "no", headers: {} }',
  ])('throwing %s is a 500', async (value) => {
    const { answer } = await loadFixture(artifactOf(`() => { throw ${value} }`))
    expect(await answer()).toMatchObject({ status: 500 })
  })

  it('throwing what cannot be looked at, later, is a 500', async () => {
    const proxy = 'new Proxy({}, { has() { throw new Error("no") } })'
    const { answer } = await loadFixture(artifactOf(`async () => { throw ${proxy} }`))
    expect(await answer()).toMatchObject({ status: 500 })
  })

  it('points to the line of the author in the log when there is a source map', async () => {
    const { source, map } = await bundle(`interface Nothing {}
      type Ignored = Nothing
      export default async () => {
        await null
        throw new Error('here')
      }`)
    const { invoke, lines } = await loadFixture(source, { sourceMap: async () => Buffer.from(map) })
    await invoke()
    await vi.waitFor(() => expect(lines).toHaveLength(1))
    expect(lines[0]?.fields['error']).toContain('index.ts:5:15')
  })
})

describe('deadline', () => {
  it('answers 504, frees the slot and aborts the signal of a call that never settles', async () => {
    const { invoke, revision, lines } = await loadFixture(
      artifactOf(`(input, { signal, log }) => {
        signal.addEventListener('abort', () => log.info('aborted ' + signal.reason.code))
        return new Promise(() => {})
      }`),
      { settings: { timeoutMs: 20 } },
    )
    const outcome = await invoke()
    expect(outcome).toMatchObject({
      status: 504,
      errorCode: 'FUNCTION_TIMEOUT',
      functionFault: true,
    })
    expect(revision.inFlight).toBe(0)
    await vi.waitFor(() => expect(lines[0]?.message).toBe('aborted FUNCTION_TIMEOUT'))
  })

  it('ignores what the function does after it, a rejection too', async () => {
    const unhandled = vi.fn<(error: unknown) => void>()
    process.on('unhandledRejection', unhandled)
    const { invoke, lines } = await loadFixture(
      artifactOf(`async () => {
        await new Promise((resolve) => setTimeout(resolve, 40))
        throw new Error('late')
      }`),
      { settings: { timeoutMs: 10 } },
    )
    expect((await invoke()).status).toBe(504)
    await delay(60)
    process.off('unhandledRejection', unhandled)
    expect(unhandled).not.toHaveBeenCalled()
    expect(lines).toEqual([])
  })

  it('tells the function when it is', async () => {
    const { answer } = await loadFixture(artifactOf(`(input, context) => context.deadline`), {
      settings: { timeoutMs: 500 },
    })
    const { body } = await answer()
    expect(Math.abs(Number(body) - Date.now() - 500)).toBeLessThan(100)
  })

  it('aborts the signal when the client goes away', async () => {
    const client = new AbortController()
    const { invoke, revision, lines } = await loadFixture(
      artifactOf(`({}, { signal, log }) => new Promise(() => {
        signal.addEventListener('abort', () => log.info('aborted ' + signal.reason.code))
      })`),
    )
    const outcome = invoke({ signal: client.signal })
    await delay(5)
    client.abort()
    expect(await outcome).toMatchObject({
      status: 499,
      errorCode: 'CLIENT_CLOSED',
      functionFault: false,
    })
    expect(revision.inFlight).toBe(0)
    await vi.waitFor(() => expect(lines[0]?.message).toBe('aborted CLIENT_CLOSED'))
  })

  it.each([
    ['answered', '({}, context) => { later(context); return 1 }', 'CALL_ENDED'],
    [
      'timed out',
      '({}, context) => { later(context); return new Promise(() => {}) }',
      'FUNCTION_TIMEOUT',
    ],
  ])('finds a signal aborted that is first read when the call has %s', async (_, handler, code) => {
    const { invoke, lines } = await loadFixture(
      `const later = (context) => setTimeout(() => {
        const { aborted, reason } = context.signal
        context.log.info(JSON.stringify([aborted, reason?.code]))
      }, 120)
      ${artifactOf(handler)}`,
      { settings: { timeoutMs: 30 } },
    )
    await invoke()
    await vi.waitFor(() => expect(lines[0]?.message).toBe(JSON.stringify([true, code])))
  })

  it('leaves the wheel with the call', async () => {
    const wheel = createDeadlineWheel()
    const { invoke } = await loadFixture(artifactOf(`() => 1`), { wheel })
    const answered = invoke()
    expect(wheel.size).toBe(1)
    await answered
    expect(wheel.size).toBe(0)
  })

  it('does not ask the host for a signal nobody reads', async () => {
    const { revision } = await loadFixture(artifactOf(`() => 1`))
    const signal = vi.fn<() => AbortSignal | undefined>(() => undefined)
    await revision.invoke(Object.defineProperty(toCall(), 'signal', { get: signal }))
    expect(signal).not.toHaveBeenCalled()
  })
})

describe('concurrency', () => {
  it('answers 503 with Retry-After beyond the cap and serves again below it', async () => {
    const { invoke, revision } = await loadFixture(
      artifactOf(`() => new Promise((resolve) => setTimeout(resolve, 20, 'done'))`),
      { settings: { maxConcurrency: 2 } },
    )
    const calls = [invoke(), invoke(), invoke()]
    expect(await calls[2]).toMatchObject({
      status: 503,
      errorCode: 'FUNCTION_BUSY',
      functionFault: false,
      headers: { 'retry-after': '1' },
    })
    expect((await Promise.all(calls)).map(({ status }) => status)).toEqual([200, 200, 503])
    expect(revision.inFlight).toBe(0)
    expect((await invoke()).status).toBe(200)
  })
})

describe('context', () => {
  it('offers what the contract says', async () => {
    const { answer, revision } = await loadFixture(
      artifactOf(`(input, { request, caller, revision }) => ({
        id: request.id, method: request.method, url: request.url,
        agent: request.headers['user-agent'], many: request.headers['x-many'],
        cookies: request.cookies, caller, revision,
      })`),
    )
    const caller: object = { user: 'ada' }
    const { body } = await answer({
      method: 'GET',
      url: '/shop/card?a=1',
      headers: { 'user-agent': 'curl', 'x-many': ['a', 'b'], cookie: 'a=1; b="c%20d"; a=2; e=%' },
      caller,
    })
    expect(body).toEqual({
      id: 'req-1',
      method: 'GET',
      url: '/shop/card?a=1',
      agent: 'curl',
      many: 'a, b',
      cookies: { a: '1', b: 'c d', e: '%' },
      caller: { user: 'ada' },
      revision: revision.id,
    })
  })

  it('holds only the services the function uses', async () => {
    const { answer } = await loadFixture(
      artifactOf(`{ uses: ['price'], handler: (input, { services }) =>
        [Object.keys(services), services.price(), services.secret] }`),
      { services: { price: () => 7, secret: () => 8 } },
    )
    expect((await answer()).body).toEqual([['price'], 7, null])
  })

  it.each(['services', 'signal', 'log', 'request', 'caller', 'revision', 'deadline'])(
    'context.%s cannot be replaced, for this call or for all',
    async (part) => {
      const { answer } = await loadFixture(
        artifactOf(`(input, context) => {
          'use strict'
          const refused = []
          for (const target of [context, Object.getPrototypeOf(context)]) {
            try { target.${part} = 'other' } catch (error) { refused.push(error.name) }
            refused.push(Reflect.defineProperty(Object.getPrototypeOf(context), '${part}', { value: 1 }))
          }
          return refused
        }`),
      )
      expect((await answer()).body).toEqual(['TypeError', false, 'TypeError', false])
    },
  )

  it.each(['context.request', 'context.request.headers', 'context.services', 'context.log'])(
    '%s is frozen',
    async (part) => {
      const { answer } = await loadFixture(
        artifactOf(`(input, context) => Object.isFrozen(${part})`),
      )
      expect((await answer()).body).toBe(true)
    },
  )

  it('attributes log lines and console to function, revision and request', async () => {
    const { invoke, lines, revision } = await loadFixture(
      artifactOf(`async (input, { log }) => {
        log.warn('one', { a: 1, requestId: 'another', revision: 'another' })
        await null
        console.log('two %s', 2)
        console.error('three')
      }`),
    )
    await invoke({ requestId: 'req-9' })
    const origin = { requestId: 'req-9', function: 'shop/card', revision: revision.id }
    expect(lines).toEqual([
      { level: 'warn', message: 'one', fields: { a: 1, ...origin } },
      { level: 'info', message: 'two 2', fields: origin },
      { level: 'error', message: 'three', fields: origin },
    ])
  })

  it('passes on 1000 lines a second and says how many were dropped, but drops none of its own', async () => {
    const clock = createManualClock()
    const { invoke, lines, revision } = await loadFixture(
      artifactOf(`(input, { log }) => {
        for (let i = 0; i < 600; i++) { log.debug('log'); console.log('console') }
        throw new Error('after all that')
      }`),
      { clock },
    )
    await invoke()
    await vi.waitFor(() => expect(lines).toHaveLength(1001))
    expect(lines.at(-1)).toMatchObject({ message: expect.stringContaining('quote the id') })
    clock.advance(1000)
    await Promise.resolve()
    expect(lines.slice(1001)).toEqual([
      {
        level: 'warn',
        message: 'The function logs too much: lines were dropped',
        fields: { dropped: 200, function: 'shop/card', revision: revision.id },
      },
    ])
  })
})

describe('loading', () => {
  it('refuses a function whose service the host does not offer', async () => {
    await expect(
      loadFixture(artifactOf(`{ uses: ['price'], handler() {} }`)),
    ).rejects.toMatchObject({
      code: 'SERVICE_MISSING',
      message: expect.stringContaining('"price"'),
    })
  })
})

const burning = (ms: number): string =>
  `(() => { const end = Date.now() + ${ms}; while (Date.now() < end); })()`

describe('metrics', () => {
  it('charge the synchronous parts of calls to the revision, once each', async () => {
    const registry = createMetricsRegistry()
    const handler = `() => { ${burning(8)}; return {} }`
    const { answer } = await loadFixture(artifactOf(handler), { registry })
    await answer()
    // A busy machine only adds to it, but hardly sixteenfold.
    expect(registry.loopMs().get('shop/card')).toBeGreaterThanOrEqual(7)
    expect(registry.loopMs().get('shop/card')).toBeLessThan(16 * 8)
    for (let call = 1; call < 32; call += 1) await answer()
    expect(registry.loopMs().get('shop/card')).toBeGreaterThanOrEqual(32 * 7)
  })

  it('tell time of loads', async () => {
    const registry = createMetricsRegistry()
    await loadFixture(`${burning(20)}; ${artifactOf('() => ({})')}`, { registry })
    const [series] = registry.series()
    expect(series?.metrics.loads.sumMs).toBeGreaterThanOrEqual(19)
  })

  it('tell of the last load by how much the heap has grown', async () => {
    expect(await heapOfLoad(8)).toBeGreaterThan(7)
    expect(await heapOfLoad(0)).toBeLessThan(4)
  })

  it('leave out calls that the revision did not take, which are counted by function and code', async () => {
    const registry = createMetricsRegistry()
    const { invoke, revision } = await loadFixture(
      artifactOf(`() => new Promise((resolve) => setTimeout(resolve, 5, 'done'))`),
      { registry, settings: { maxConcurrency: 1 } },
    )
    await Promise.all([invoke(), invoke(), invoke()])
    revision.dispose()
    await invoke()
    const [series] = registry.series()
    expect(series?.metrics).toMatchObject({ calls: 1, errors: new Map() })
    expect([...registry.turnedAway()]).toEqual([
      { function: 'shop/card', code: 'FUNCTION_BUSY', calls: 2 },
      { function: 'shop/card', code: 'FUNCTION_STOPPED', calls: 1 },
    ])
  })
})

describe('compiled code', () => {
  const source = artifactOf(`async () => ({ v: 1 })`)

  it('is taken by the next load, which then has none to give', async () => {
    const first = await loadFixture(source)
    await first.answer()
    const compiled = first.revision.compiled()
    expect(compiled).not.toBe(null)
    const second = await loadFixture(source, { compiled })
    expect(await second.answer()).toEqual({ status: 200, body: { v: 1 } })
    expect(second.revision.compiled()).toBe(null)
  })

  it.each([
    ['damaged', (code: Buffer) => code.fill(0, 0, 40)],
    ['of another source', () => Buffer.from('nothing of V8')],
  ])('that is %s is compiled anew', async (_, damage) => {
    const first = await loadFixture(source)
    const compiled = damage(Buffer.from(first.revision.compiled() ?? []))
    const second = await loadFixture(source, { compiled })
    expect(await second.answer()).toEqual({ status: 200, body: { v: 1 } })
    expect(second.revision.compiled()).not.toBe(null)
  })

  it('is none once the revision is disposed of', async () => {
    const { revision } = await loadFixture(source)
    revision.dispose()
    expect(revision.compiled()).toBe(null)
  })
})

describe('attribution', () => {
  it('names the revision inside an unhandled rejection of left-over work', async () => {
    const blamed = new Promise((resolve) => {
      const listeners = process.listeners('unhandledRejection')
      process.removeAllListeners('unhandledRejection')
      process.once('unhandledRejection', () => {
        for (const listener of listeners) process.on('unhandledRejection', listener)
        resolve({ ...currentCall() })
      })
    })
    const { invoke, revision } = await loadFixture(
      artifactOf(`() => { setTimeout(() => { throw new Error('stray') }, 5); return 1 }`),
    )
    await invoke({ requestId: 'req-7' })
    expect(await blamed).toMatchObject({
      revision: revision.id,
      requestId: 'req-7',
      active: false,
    })
  })

  it('is none outside of calls', async () => {
    const { invoke } = await loadFixture(artifactOf(`() => 1`))
    await invoke()
    expect(currentCall()).toBeUndefined()
  })
})

describe('dispose', () => {
  it('answers open calls, aborts their signals, stops the timers and serves no more', async () => {
    const { invoke, revision, lines } = await loadFixture(
      artifactOf(`(input, { signal, log }) => {
        setInterval(() => log.info('tick'), 1)
        signal.addEventListener('abort', () => log.info('aborted ' + signal.reason.code))
        return new Promise(() => {})
      }`),
    )
    const open = invoke()
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(1))
    revision.dispose()
    revision.dispose()
    expect(await open).toMatchObject({ status: 503, errorCode: 'FUNCTION_STOPPED' })
    await delay(1)
    expect(lines.at(-1)?.message).toBe('aborted FUNCTION_STOPPED')
    const count = lines.length
    await delay(20)
    expect(lines).toHaveLength(count)
    expect(await invoke()).toMatchObject({ status: 503, errorCode: 'FUNCTION_STOPPED' })
  })

  it('drains: waits for the calls in flight, or says that time is up', async () => {
    const { invoke, revision } = await loadFixture(
      artifactOf(`() => new Promise((resolve) => setTimeout(resolve, 40, 1))`),
    )
    expect(await revision.drained(1)).toBe('drained')
    const open = invoke()
    expect(await revision.drained(5)).toBe('timedOut')
    expect(await revision.drained(1000)).toBe('drained')
    expect(await open).toMatchObject({ status: 200 })
  })
})

/** Told of a load that keeps so many megabytes. The most of some: garbage collected meanwhile makes it less. */
async function heapOfLoad(megabytes: number): Promise<number> {
  const source = artifactOf(
    `((kept) => () => kept.length)(new Array(${megabytes * 2 ** 17}).fill(0))`,
  )
  const told: number[] = []
  for (let load = 0; load < 5; load += 1) {
    const registry = createMetricsRegistry()
    await loadFixture(source, { registry })
    const [series] = registry.series()
    told.push(series?.metrics.loadHeapBytes ?? 0)
  }
  return Math.max(...told) / 2 ** 20
}
