import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'

const limitMs = 100
const settings = { uses: ['gate'], timeoutMs: 5000, idempotent: true } as const
/** Well before the deadline: what is answered by then was not lost. */
const soonMs = 3000

/** Each ends in the turn in which the culprit loops, before it does. */
const finished = {
  'a value': 'async (input, { services }) => { await services.gate.meet(2); return { n: 1 } }',
  'a value whose schema takes its time': `{
    output: { '~standard': { version: 1, vendor: 'own', validate: async (value) => ({ value }) } },
    handler: async (input, { services }) => { await services.gate.meet(2); return { n: 1 } },
  }`,
  'a Response': `async (input, { services }) => {
    await services.gate.meet(2)
    return Response.json({ n: 1 })
  }`,
  'a stream': `async (input, { services }) => {
    await services.gate.meet(2)
    return new Response(new ReadableStream({
      start(controller) {
        controller.enqueue('{"n":')
        controller.enqueue('1}')
        controller.close()
      },
    }))
  }`,
} as const

describe(`a function stopped in the turn in which another ends, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeEach(async () => {
    server = await startFaultServer({ limitMs })
  })
  afterEach(async () => server.close())

  describe.each(['proven', 'canary'] as const)('which is %s,', (role) => {
    it.each(Object.entries(finished))(
      'takes no answer along that is %s',
      async (_, handler) => {
        await server.publish({ name: 'bystander', handler, settings })
        if (role === 'canary') {
          await server.publish({ name: 'bystander', handler: `(0, ${handler})`, role, settings })
        }
        for (const microtasks of [0, 1, 2, 4, 8]) {
          await server.publish({
            name: 'culprit',
            handler: `async (input, { services }) => {
            await services.gate.meet(2)
            for (let left = ${microtasks}; left > 0; left -= 1) await null
            for (;;) {}
          }`,
            settings,
          })
          const first = server.call('bystander')
          // They are let go on in the order they came.
          await expect.poll(() => server.control('meeting')).toBe(1)
          const [bystander, culprit] = await Promise.all([first, server.call('culprit')])
          expect(culprit).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
          expect({ microtasks, ...bystander }).toMatchObject({ microtasks, status: 200 })
          expect(bystander.durationMs).toBeLessThan(soonMs)
        }
      },
      30_000,
    )
  })

  it('takes no answer along whose deadline passes with its own', async () => {
    const timeoutMs = 300
    await server.publish({
      name: 'bystander',
      handler: '() => new Promise(() => {})',
      settings: { timeoutMs },
    })
    await server.publish({
      name: 'culprit',
      handler: `(input, { signal }) => new Promise(() => {
        signal.addEventListener('abort', () => { for (;;) {} })
      })`,
      settings: { timeoutMs },
    })
    const calls = ['bystander', 'culprit', 'bystander', 'culprit', 'bystander']
    const answers = await Promise.all(calls.map((name) => server.call(name)))
    expect(answers.map(({ status }) => status)).toEqual(calls.map(() => 504))
  })

  it('has a call tried again at once that came with its own and was not begun', async () => {
    await server.publish({ name: 'culprit', handler: '() => { for (;;) {} }' })
    await server.publish({ name: 'bystander', handler: '() => ({})', settings })
    const begunAt = performance.now()
    const text = await server.pipeline(['culprit', 'bystander'])
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 504', 'HTTP/1.1 504'])
    expect(text).toContain('had no time to run the function; try again')
    expect(performance.now() - begunAt).toBeLessThan(soonMs)
    expect(await server.faults('bystander')).toBe(0)
    expect(await server.call('bystander')).toMatchObject({ status: 200 })
  })

  it.each([
    ['one call too many', { maxConcurrency: 1 }, 503],
    ['a function that is quarantined', {}, 503],
  ])('refuses %s that came with its own', async (_, limits, status) => {
    await server.publish({ name: 'culprit', handler: '() => { for (;;) {} }', settings: limits })
    await server.publish({ name: 'refused', handler: '() => { for (;;) {} }' })
    await server.call('refused')
    const second = 'maxConcurrency' in limits ? 'culprit' : 'refused'
    const text = await server.pipeline(['culprit', second])
    expect(text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 504', `HTTP/1.1 ${status}`])
  })
})
