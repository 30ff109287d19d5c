import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { maxLineCharacters } from '../../src/function/cut-line.ts'
import { maxCharactersPerSecond, maxLinesPerSecond } from '../../src/function/limit-log.ts'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { undisturbedMs } from './support/undisturbed.ts'
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
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    const seconds = Math.ceil(bystanders.lastedMs / 1000) + 1
    const { passed, notices } = await written()
    expect(passed).toBeLessThanOrEqual(maxLinesPerSecond * seconds)
    expect(notices).toBeLessThanOrEqual(seconds)
  })

  it.each([
    { name: 'long-messages', line: 'log.info(long)' },
    { name: 'long-fields', line: 'log.info("line", { long })' },
    { name: 'long-console', line: 'console.log(long)' },
  ])('by $name: lines of 10 MB are cut, and so many of them are dropped', async (fault) => {
    const { name, line } = fault
    const lines = 200
    await server.publish({
      name,
      handler: `async (input, { log }) => {
        const long = 'x'.repeat(10_000_000)
        for (let left = ${lines}; left > 0; left -= 1) {
          ${line}
          if (left % 10 === 0) await new Promise(setImmediate)
        }
        return {}
      }`,
    })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call(name)).toMatchObject({ status: 200 })
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    const ofFunction = async () =>
      (await server.log()).filter((each) => each.function === `shop/${name}`)
    await expect.poll(async () => (await ofFunction()).some((each) => 'dropped' in each)).toBe(true)
    const written = (await ofFunction()).map((each) => `${each.message}${String(each['long'])}`)
    expect(Math.max(...written.map(({ length }) => length))).toBeLessThan(maxLineCharacters + 200)
    const seconds = Math.ceil(bystanders.lastedMs / 1000) + 1
    expect(written.join('').length).toBeLessThan(maxCharactersPerSecond * 1.1 * seconds)
  })

  it.each([
    {
      name: 'console-timers',
      work: "for (let at = 0; at < many; at += 1) console.timeEnd('none' + at)",
      told: /No such label 'none0'/,
    },
    {
      name: 'many-listeners',
      work: `const { EventEmitter } = globalThis[Symbol.for('needle.builtin')]('node:events')
        for (let at = 0; at < many; at += 1) {
          const emitter = new EventEmitter()
          for (let each = 0; each < 11; each += 1) emitter.on('x', () => {})
        }`,
      told: /MaxListenersExceededWarning/,
    },
    {
      name: 'handled-late',
      work: `for (let at = 0; at < many; at += 1) {
        const failed = Promise.reject(new Error('stray'))
        setTimeout(() => failed.catch(() => {}), 20)
      }`,
      told: /A function failed outside of any call/,
    },
  ])('$name: warnings of Node.js reach the log, limited, and not standard error', async (fault) => {
    const { name, work, told } = fault
    await server.publish({
      name,
      handler: `async () => {
        const many = 3000
        ${work}
        await new Promise((resolve) => setTimeout(resolve, 50))
        return {}
      }`,
    })
    const before = server.stderr
    const begunAt = performance.now()
    expect(await server.call(name)).toMatchObject({ status: 200 })
    const ofFunction = async () =>
      (await server.log()).filter((each) => each.function === `shop/${name}`)
    await expect
      .poll(async () => (await ofFunction()).map((line) => JSON.stringify(line)).join('\n'))
      .toMatch(told)
    // Longer than its way here.
    await delay(200)
    expect(server.stderr).toBe(before)
    const seconds = Math.ceil((performance.now() - begunAt) / 1000) + 1
    expect((await ofFunction()).length).toBeLessThanOrEqual(maxLinesPerSecond * seconds)
  })

  it('what code of a field gives is cut as anything else', async () => {
    await server.publish({
      name: 'field-code',
      handler: `(input, { log }) => {
        log.info('url', { url: new URL('http://x/' + 'a'.repeat(2e6)) })
        log.info('json', { own: { toJSON: () => 'b'.repeat(2e6) } })
        log.info('getter', { get got() { return 'c'.repeat(2e6) } })
        log.info('throws', { own: { toJSON() { throw new Error('x') } } })
        return {}
      }`,
    })
    expect(await server.call('field-code')).toMatchObject({ status: 200 })
    const lines = (await server.log()).filter((each) => each.function === 'shop/field-code')
    expect(lines.map((line) => line.message)).toEqual(['url', 'json', 'getter', 'throws'])
    for (const line of lines)
      expect(JSON.stringify(line).length).toBeLessThan(maxLineCharacters + 500)
  })

  it("leaves the host's own warnings where they are", async () => {
    await server.control('warn')
    await expect.poll(() => server.stderr).toMatch(/Warning: the host's own/)
  })
})
