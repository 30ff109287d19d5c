import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'

const runaway = { status: 504, code: 'FUNCTION_RUNAWAY' }
const loop = 'async () => { await null; for (;;) {} }'
const soonMs = 4000

/** Promises that are not meant to be asked twice, of calls that hang. */
const oncePromises = {
  'a promise that throws when it is asked again': `class Query extends Promise {
    then(...takers) {
      if (this.done) throw new Error('The query was executed already')
      this.done = true
      return Promise.prototype.then.apply(this, takers)
    }
    static get [Symbol.species]() { return Promise }
  }`,
  'a promise that loops when it is asked again': `class Query extends Promise {
    then(...takers) {
      for (; this.done; ) {}
      this.done = true
      return Promise.prototype.then.apply(this, takers)
    }
    static get [Symbol.species]() { return Promise }
  }`,
  'a promise whose kind throws when it is asked for': `let asked = 0
  class Query extends Promise {
    static get [Symbol.species]() {
      asked += 1
      if (asked > 1) throw new Error('Of what kind')
      return Promise
    }
  }`,
} as const

describe(`after a function was stopped, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeEach(async () => {
    server = await startFaultServer({ limitMs: 200 })
  })
  afterEach(async () => server.close())

  it.each(Object.entries(oncePromises))('others go on beside %s', async (_, query) => {
    await server.publish({
      name: 'hanging',
      handler: `() => { ${query}; return new Query(() => {}) }`,
      settings: { timeoutMs: 2000 },
    })
    await server.publish({
      name: 'slow',
      handler: `async (input, { services }) => {
        await new Promise((go) => setTimeout(go, 800))
        return { n: 1 }
      }`,
    })
    await server.publish({ name: 'culprit', handler: loop })
    const calls = [server.call('hanging'), server.call('slow')]
    await new Promise((go) => setTimeout(go, 100))
    expect(await server.call('culprit')).toMatchObject(runaway)
    expect(await calls[1]).toMatchObject({ status: 200, body: { n: 1 } })
    expect((await calls[0])?.status).toBeGreaterThanOrEqual(500)
    expect((await server.call('plain')).durationMs).toBeLessThan(soonMs)
  })

  it('in a scope of async_hooks that it never left, the next are stopped as well', async () => {
    await server.publish({
      name: 'scoped',
      handler: `(() => {
        const { EventEmitterAsyncResource } = globalThis[Symbol.for('needle.builtin')]('node:events')
        const emitter = new EventEmitterAsyncResource({ name: 'scoped' })
        emitter.on('event', () => { for (;;) {} })
        emitter.emit('event')
      })()`,
    })
    for (const name of ['first', 'second']) {
      await server.publish({ name, handler: loop })
      expect(await server.call(name)).toMatchObject(runaway)
    }
    expect((await server.status()).watchdog).toMatchObject({ mode: 'stopping', reason: null })
  })
})
