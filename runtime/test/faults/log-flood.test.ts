import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxLinesPerSecond } from '../../src/function/limit-log.ts'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { withBystanders } from './support/with-bystanders.ts'

const flood = 100_000

describe(`100 000 lines of log in a call, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer()
  })
  afterAll(async () => server.close())

  it.each([
    { name: 'log-at-once', line: 'log.info("line")', pause: '' },
    { name: 'log', line: 'log.info("line")' },
    { name: 'console', line: 'console.log("line")' },
    { name: 'console-error', line: 'console.error("line %d", left)' },
  ])('by $name: reach the host a thousand a second, the rest as a number', async (fault) => {
    const { name, line, pause = 'await new Promise(setImmediate)' } = fault
    await server.publish({
      name,
      handler: `async (input, { log }) => {
        for (let left = ${flood}; left > 0; left -= 1) {
          ${line}
          if (left % 1000 === 0) { ${pause} }
        }
        return {}
      }`,
    })
    const written = async () => {
      const lines = (await server.log()).filter((each) => each.function === `shop/${name}`)
      const dropped = lines.reduce((sum, each) => sum + Number(each['dropped'] ?? 0), 0)
      const notices = lines.filter((each) => 'dropped' in each).length
      return { passed: lines.length - notices, dropped, notices }
    }
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call(name)).toMatchObject({ status: 200 })
      await expect
        .poll(async () => {
          const { passed, dropped } = await written()
          return passed + dropped
        })
        .toBe(flood)
    })
    expect(bystanders.failed).toBe(0)
    const seconds = Math.ceil(bystanders.lastedMs / 1000) + 1
    const { passed, notices } = await written()
    expect(passed).toBeLessThanOrEqual(maxLinesPerSecond * seconds)
    expect(notices).toBeLessThanOrEqual(seconds)
  })
})
