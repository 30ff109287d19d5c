import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { RuntimeEvent } from '../../src/index.ts'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { undisturbedMs } from './support/undisturbed.ts'
import { withBystanders } from './support/with-bystanders.ts'

describe(`a failure nobody awaits, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer()
  })
  afterAll(async () => server.close())

  const strays = async (name: string): Promise<RuntimeEvent[]> =>
    (await server.events()).filter(
      (event) => event.type === 'strayFailure' && event.revision.startsWith(`shop/${name}@`),
    )

  const later = 'new Promise((resolve) => setTimeout(resolve, 20))'
  it.each([
    { name: 'rejection', left: 'Promise.reject(new Error("stray"))' },
    { name: 'rejection-later', left: `${later}.then(() => { throw new Error("stray") })` },
    { name: 'async-function', left: '(async () => { await null; throw new Error("stray") })()' },
    { name: 'timer', left: 'setTimeout(() => { throw new Error("stray") }, 20)' },
    { name: 'immediate', left: 'setImmediate(() => { throw new Error("stray") })' },
    { name: 'microtask', left: 'queueMicrotask(() => { throw new Error("stray") })' },
    {
      name: 'interval',
      left: 'const timer = setInterval(() => { clearInterval(timer); throw new Error("stray") }, 5)',
    },
    {
      name: 'event-listener',
      left: `const target = new EventTarget()
        target.addEventListener('x', () => { throw new Error('stray') })
        target.dispatchEvent(new Event('x'))`,
    },
    {
      name: 'stream',
      left: `const { Readable } = ${builtin('stream')}
        new Readable({ read() {} }).destroy(new Error('stray'))`,
    },
    {
      name: 'web-stream',
      left: `new ReadableStream({ start() { return ${later}.then(() => { throw new Error('stray') }) } })
        .getReader().read()`,
    },
    {
      name: 'native-callback',
      left: `${builtin('zlib')}.gzip('x', () => { throw new Error('stray') })`,
    },
    {
      name: 'random-callback',
      left: `${builtin('crypto')}.randomBytes(8, () => { throw new Error('stray') })`,
    },
    { name: 'service', left: 'services.bus.write()' },
    { name: 'service-followed', left: 'services.bus.write().then(() => {})' },
    // Values that `String` throws for.
    {
      name: 'without-text',
      left: 'Promise.reject(Object.assign(Object.create(null), { stray: 1 }))',
    },
    {
      name: 'throwing-text',
      left: 'Promise.reject({ toString() { throw new Error("stray text") } })',
      told: 'toString',
    },
    {
      name: 'throwing-stack',
      left: `const error = new Error('stray')
        Object.defineProperty(error, 'stack', { get() { throw new Error('stack') } })
        Promise.reject(error)`,
    },
  ])('$name: is charged to its function after the call has ended', async ({ name, left, told }) => {
    await server.publish({
      name,
      handler: `(input, { services }) => { ${left}; return { answered: true } }`,
      settings: { uses: ['bus'] },
    })
    const bystanders = await withBystanders(server, async () => {
      const { revision, ...answer } = await server.call(name)
      expect(answer).toMatchObject({ status: 200, body: { answered: true } })
      await expect
        .poll(() => strays(name))
        .toMatchObject([
          {
            revision,
            requestId: expect.stringMatching(/^req-/),
            message: expect.stringContaining(told ?? 'stray'),
          },
        ])
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    const lines = (await server.log()).filter(({ revision }) =>
      revision.startsWith(`shop/${name}@`),
    )
    expect(lines).toMatchObject([{ message: 'A function failed outside of any call' }])
    expect(await server.control('attribution')).toEqual({ now: null, later: null })
  })

  it('while the module is loaded: is charged to it, and the release serves', async () => {
    await server.publish({
      name: 'at-load',
      handler: '(Promise.reject(new Error("stray")), () => ({ answered: true }))',
    })
    await expect.poll(() => strays('at-load')).toMatchObject([{ requestId: null }])
    expect(await server.call('at-load')).toMatchObject({ status: 200, body: { answered: true } })
  })

  it('in a listener of the signal: is charged to the call that is over', async () => {
    await server.publish({
      name: 'abort-listener',
      handler: `(input, { signal }) => new Promise(() => {
        signal.addEventListener('abort', () => { throw new Error('stray') })
      })`,
      settings: { timeoutMs: 50 },
    })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call('abort-listener')).toMatchObject({ status: 504 })
      await expect
        .poll(() => strays('abort-listener'))
        .toMatchObject([{ requestId: expect.stringMatching(/^req-/) }])
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })

  it('of a service, handled by its function: is nobody’s fault', async () => {
    await server.publish({
      name: 'handled',
      handler: `async (input, { services }) => {
        const failed = await services.bus.write().catch((error) => error.message)
        return { failed }
      }`,
      settings: { uses: ['bus'] },
    })
    expect(await server.call('handled')).toMatchObject({ body: { failed: 'stray write' } })
    expect(await strays('handled')).toEqual([])
  })

  it('by the thousand: is told of a hundred times a second, and then counted', async () => {
    await server.publish({
      name: 'thousands',
      handler: `async () => {
        for (let left = 10_000; left > 0; left -= 1) {
          Promise.reject(new Error('stray'))
          if (left % 500 === 0) await new Promise(setImmediate)
        }
        return { answered: true }
      }`,
    })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call('thousands')).toMatchObject({ status: 200 })
      await expect.poll(async () => total(await strays('thousands'))).toBe(10_000)
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    const seconds = bystanders.lastedMs / 1000
    expect((await strays('thousands')).length).toBeLessThan(101 * (Math.ceil(seconds) + 1))
  })
})

/** An expression for a Node.js built-in, as bundles have it. */
function builtin(name: string): string {
  return `globalThis[Symbol.for('needle.builtin')]('node:${name}')`
}

/** Failures that were told of or counted. */
function total(events: readonly RuntimeEvent[]): number {
  return events.reduce((sum, event) => {
    const more = 'message' in event ? /^(\d+) more failures/.exec(event.message)?.[1] : undefined
    return sum + Number(more ?? 1)
  }, 0)
}
