import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { undisturbedMs } from './support/undisturbed.ts'
import { withBystanders } from './support/with-bystanders.ts'

describe(`what a function changes, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer()
  })
  afterAll(async () => server.close())

  it('of the prototypes of the language: stays in its realm', async () => {
    const observed = `({
      polluted: [{}.polluted, [].polluted, (() => {}).polluted, ''.polluted].map(String),
      mapped: [1, 2].map((n) => n + 1),
      json: JSON.stringify({ a: [1] }),
      promise: typeof Promise.prototype.then,
      keys: Object.keys({ a: 1 }),
    })`
    await server.publish({ name: 'observer', handler: `async () => ${observed}` })
    const before = await server.call('observer')
    expect(before.status).toBe(200)
    await server.publish({
      name: 'polluter',
      handler: `() => {
        for (const it of [Object, Array, Function, String]) it.prototype.polluted = 'polluted'
        Array.prototype.map = () => 'broken'
        Array.prototype[Symbol.iterator] = null
        JSON.stringify = JSON.parse = () => 'broken'
        Object.keys = Object.entries = () => ['broken']
        Promise.prototype.then = undefined
        Object.defineProperty(Object.prototype, 'status', { set() {}, get: () => 600 })
        globalThis.setTimeout = globalThis.console = globalThis.Response = undefined
        return { changed: true }
      }`,
    })
    const bystanders = await withBystanders(server, async () => {
      const { status, body } = await server.call('polluter')
      expect({ status, body }).toEqual({ status: 200, body: { changed: true } })
      // From now on it breaks itself, and nobody else.
      expect(await server.call('polluter')).toMatchObject({ status: 500, code: 'FUNCTION_FAILED' })
      expect(await server.call('observer')).toMatchObject({ status: 200, body: before.body })
      expect(await server.control('prototypes')).toEqual(before.body)
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })

  it('of its globals: stays in its realm', async () => {
    await server.publish({
      name: 'globals',
      handler: '() => { globalThis.kept = (globalThis.kept ?? 0) + 1; return { kept } }',
    })
    await server.publish({ name: 'other', handler: '() => ({ kept: typeof kept })' })
    expect(await server.call('globals')).toMatchObject({ body: { kept: 1 } })
    expect(await server.call('globals')).toMatchObject({ body: { kept: 2 } })
    expect(await server.call('other')).toMatchObject({ body: { kept: 'undefined' } })
  })

  it('of its arguments: the next call and other functions meet as they were', async () => {
    const tried = `(input, context) => {
      const seen = {
        input: { ...input },
        context: Object.keys(context),
        notes: typeof context.services.notes,
        added: String(context.services.added ?? context.caller.added ?? context.request.headers.added),
        log: typeof context.log.info,
        method: context.request.method,
      }
      const attempts = [
        () => { input.n = 'changed'; input.added = true },
        () => { input.__proto__.added = 'input' },
        () => { context.added = true },
        () => { context.services = {} },
        () => { Object.getPrototypeOf(context).services = {} },
        () => { delete Object.getPrototypeOf(context).log },
        () => { context.services.notes = null },
        () => { context.services.added = 'services' },
        () => { context.caller.added = 'caller' },
        () => { context.request.method = 'DELETE' },
        () => { context.request.headers.added = 'headers' },
        () => { context.request.cookies.added = 'cookies' },
        () => { context.log.info = null },
        () => { context.revision = 'other' },
      ]
      for (const attempt of attempts) try { attempt() } catch {}
      return seen
    }`
    const settings = { uses: ['notes'] }
    await server.publish({ name: 'arguments', handler: tried, settings })
    await server.publish({ name: 'arguments-of-another', handler: tried, settings })
    const untouched = {
      status: 200,
      body: {
        input: { n: '1' },
        context: [],
        notes: 'object',
        added: 'undefined',
        log: 'function',
        method: 'GET',
      },
    }
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call('arguments')).toMatchObject(untouched)
      expect(await server.call('arguments')).toMatchObject(untouched)
      expect(await server.call('arguments-of-another')).toMatchObject(untouched)
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })
})
