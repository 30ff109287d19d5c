import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { withBystanders } from './support/with-bystanders.ts'

const limitMs = 300
const promisedStallMs = limitMs + 200
const names = Array.from({ length: 6 }, (_, at) => `culprit-${at}`)

describe(`functions that run away in one turn of the event loop, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeEach(async () => {
    server = await startFaultServer({ limitMs })
  })
  afterEach(async () => server.close())

  it.each<[string, string, number?]>([
    ['in timers', '() => new Promise(() => setTimeout(() => { for (;;) {} }, DUE - Date.now()))'],
    ['when they are called', '() => { for (;;) {} }'],
    [
      'when they are told that their time is over',
      `(input, { signal }) => new Promise(() => {
        signal.addEventListener('abort', () => { for (;;) {} })
      })`,
      1000,
    ],
    [
      'when a service has answered each',
      'async (input, { services }) => { await services.later.at(DUE); for (;;) {} }',
    ],
  ])(
    'hold it no longer than one, %s',
    async (_, handler, timeoutMs = 5000) => {
      let shortestStallMs = Infinity
      for (let run = 0; run < 3 && shortestStallMs >= promisedStallMs; run += 1) {
        // They are loaded long before.
        const due = Date.now() + 3000
        for (const name of names) {
          await server.publish({
            name,
            handler: `/* ${run} */ ${handler.replace('DUE', String(due))}`,
            settings: { uses: ['later'], timeoutMs },
          })
        }
        const kills = async (): Promise<number> => (await server.status()).watchdog.kills
        const before = await kills()
        const bystanders = await withBystanders(server, async () => {
          const culprits = await Promise.all(names.map((name) => server.call(name)))
          for (const { status } of culprits) expect(status).toBe(504)
          await expect.poll(kills, { timeout: 10_000 }).toBe(before + names.length)
        })
        expect(bystanders.failed).toBe(0)
        shortestStallMs = Math.min(shortestStallMs, bystanders.longestMs)
      }
      expect(shortestStallMs).toBeLessThan(promisedStallMs)
    },
    60_000,
  )
})
