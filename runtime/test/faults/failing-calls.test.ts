import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { undisturbedMs } from './support/undisturbed.ts'
import { withBystanders } from './support/with-bystanders.ts'

describe(`a call that goes wrong, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer()
  })
  afterAll(async () => server.close())

  it.each([
    {
      name: 'patched-map',
      handler: `() => {
        Array.prototype.map = () => ['a\\nb']
        return ${reply("{ 'x-list': ['a'] }")}
      }`,
    },
    {
      name: 'own-map',
      handler: `() => ${reply("{ 'x-list': Object.assign(['a'], { map: () => 'a\\r\\nx: y' }) }")}`,
    },
    {
      name: 'cookie-map',
      handler: `() => {
        const cookies = Object.assign(['a'], { map: () => [{ toString() { throw new Error('x') } }] })
        class Odd extends Response {
          get headers() {
            return { *[Symbol.iterator]() {}, getSetCookie: () => cookies }
          }
        }
        return new Odd('{}')
      }`,
    },
    {
      name: 'error-map',
      handler: `() => {
        const headers = { 'x-list': Object.assign(['a'], { map: () => ['a\\nb'] }) }
        const error = Object.assign(new Error('x'), { status: 404, code: 'NO', headers })
        throw Object.defineProperty(error, Symbol.for('needle.http-error'), { value: true })
      }`,
      status: 404,
    },
  ])('$name: headers are what their list holds, whatever its methods say', async (fault) => {
    const { name, handler, status = 200 } = fault
    await server.publish({ name, handler })
    expect(await server.call(name)).toMatchObject({ status })
    expect(await server.call('plain')).toMatchObject({ status: 200 })
  })

  const refusingSchema = `{ '~standard': { version: 1, vendor: 'test',
    validate: () => ({ issues: [{ message: 'must be a number', path: ['cents'] }] }) } }`

  it.each([
    { name: 'throws', handler: '() => { throw new Error("boom") }', told: 'Error: boom' },
    { name: 'throws-nothing', handler: '() => { throw undefined }', told: 'undefined' },
    {
      name: 'throws-later',
      handler: 'async () => { await null; throw new Error("boom") }',
      told: 'Error: boom',
    },
    {
      name: 'throws-untold',
      handler: '() => { throw { toString() { throw new Error("in toString") } } }',
      told: 'toString',
    },
    {
      name: 'recursion',
      handler: '() => { const deep = () => 1 + deep(); return deep() }',
      told: 'RangeError: Maximum call stack size exceeded',
    },
    {
      name: 'recursion-in-the-host',
      handler: `(_, { log, services }) => {
        const deep = () => {
          log.info('deeper')
          services.notes.add('d')
          setTimeout(() => {}, 1)
          console.log('deeper')
          deep()
        }
        deep()
      }`,
      told: 'RangeError: Maximum call stack size exceeded',
    },
    {
      name: 'endless-recursion-async',
      handler: 'async () => { const deep = async () => 1 + await deep(); return deep() }',
      told: 'RangeError: Maximum call stack size exceeded',
    },
    {
      name: 'thenable',
      handler: '() => ({ then() { throw new Error("boom") } })',
      told: 'Error: boom',
    },
    {
      name: 'output-schema',
      handler: `{ output: ${refusingSchema}, handler: () => ({ cents: 'three' }) }`,
      told: 'must be a number',
      code: 'OUTPUT_INVALID',
    },
    {
      name: 'output-cycle',
      handler: '() => { const it = {}; it.it = it; return it }',
      told: 'circular structure',
      code: 'OUTPUT_INVALID',
    },
  ])('$name: answers 500, is charged and harms nobody', async (fault) => {
    const { name, handler, told, code = 'FUNCTION_FAILED' } = fault
    await server.publish({ name, handler, settings: { uses: ['notes'] } })
    const bystanders = await withBystanders(server, async () => {
      const { status, code: answered, revision, body } = await server.call(name)
      expect({ status, code: answered }).toEqual({ status: 500, code })
      expect(JSON.stringify(body)).not.toContain(told)
      await expect
        .poll(async () => (await server.log()).filter((line) => line['code'] === code))
        .toContainEqual(
          expect.objectContaining({
            level: 'error',
            function: `shop/${name}`,
            revision,
            error: expect.stringContaining(told),
          }),
        )
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    expect(await server.faults(name)).toBe(1)
  })

  it('never settles: answers 504 at the deadline, aborts its signal and frees its place', async () => {
    await server.publish({
      name: 'never',
      handler: `(input, { signal, services }) => new Promise(() => {
        signal.addEventListener('abort', () => services.notes.add(signal.reason.code))
      })`,
      settings: { timeoutMs: 400, maxConcurrency: 1, uses: ['notes'] },
    })
    const timedOut = { status: 504, code: 'FUNCTION_TIMEOUT' }
    const bystanders = await withBystanders(server, async () => {
      const first = server.call('never')
      await expect
        .poll(async () => (await server.call('never')).code, { interval: 10 })
        .toBe('FUNCTION_BUSY')
      expect(await first).toMatchObject(timedOut)
      expect(await server.call('never')).toMatchObject(timedOut)
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    expect(await server.faults('never')).toBe(2)
    const reasons = (await server.notes()).filter((note) => note.startsWith('FUNCTION_'))
    expect(reasons).toEqual(['FUNCTION_TIMEOUT', 'FUNCTION_TIMEOUT'])
  })

  it.each([
    ['throws', 'cancel() { throw new Error("no") }'],
    ['gives no promise', 'cancel() {}'],
  ])('streams by a class of its own whose cancel %s: is a 504 like any', async (_, cancel) => {
    await server.publish({
      name: 'own-stream',
      handler: `() => {
        class Own extends ReadableStream {
          getReader() { return { read: () => new Promise(() => {}), ${cancel} } }
        }
        return new Response(new Own())
      }`,
      settings: { timeoutMs: 100 },
    })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call('own-stream')).toMatchObject({ status: 504 })
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })

  it('streams from memory that WebAssembly lets grow: is served', async () => {
    await server.publish({
      name: 'growing',
      handler: `() => {
        const memory = new WebAssembly.Memory({ initial: 1 })
        const encoder = new TextEncoder()
        const chunks = ['[1', ',1', ',1', ',1', ',1', ',1]']
        const pull = async (controller) => {
          const chunk = chunks.shift()
          if (chunk === undefined) return controller.close()
          const { written } = encoder.encodeInto(chunk, new Uint8Array(memory.buffer))
          controller.enqueue(new Uint8Array(memory.buffer, 0, written))
          await new Promise((resolve) => setTimeout(resolve, 1))
          memory.grow(1)
        }
        return new Response(new ReadableStream({ pull }))
      }`,
    })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call('growing')).toMatchObject({ status: 200, body: [1, 1, 1, 1, 1, 1] })
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })

  it('answers 20 MB: is served, and others are meanwhile', async () => {
    await server.publish({ name: 'huge', handler: '() => ({ text: "x".repeat(20_000_000) })' })
    const bystanders = await withBystanders(server, async () => {
      const { status, body } = await server.call('huge')
      expect(status).toBe(200)
      expect(JSON.stringify(body)).toHaveLength('{"text":""}'.length + 20_000_000)
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })

  it('answers more than a string can hold: is a 500 like any', async () => {
    await server.publish({
      name: 'too-huge',
      handler: '() => new Array(2 ** 32 - 1)',
    })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call('too-huge')).toMatchObject({ status: 500, code: 'OUTPUT_INVALID' })
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    expect(await server.faults('too-huge')).toBe(1)
  })
})

/** An expression for what `reply` gives, with headers as they are written here. */
function reply(headers: string): string {
  return `({ [Symbol.for('needle.reply')]: true, status: 200, body: {}, headers: ${headers} })`
}
