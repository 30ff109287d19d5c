import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { undisturbedMs } from './support/undisturbed.ts'
import { withBystanders } from './support/with-bystanders.ts'

/** Accidents only: a function that means to reach the host's `process` can. */
describe(`the process, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer()
  })
  afterAll(async () => server.close())

  const builtin = `globalThis[Symbol.for('needle.builtin')]`

  it.each([
    { name: 'exit', attempt: 'process.exit(1)', told: 'process is not defined' },
    { name: 'abort', attempt: 'globalThis.process.abort()', told: 'undefined' },
    { name: 'kill', attempt: 'process.kill(process.pid)', told: 'process is not defined' },
    {
      name: 'signal',
      attempt: 'process.on("SIGTERM", () => {})',
      told: 'process is not defined',
    },
    { name: 'require', attempt: 'require("node:process").exit(1)', told: 'require is not defined' },
    { name: 'import', attempt: 'return import("node:process").then((it) => it.exit(1))', told: '' },
    ...['process', 'child_process', 'worker_threads', 'cluster', 'vm', 'inspector', 'module'].map(
      (name) => ({
        name: `builtin-${name.replace('_', '-')}`,
        attempt: `${builtin}('node:${name}')`,
        told: 'is not among the Node.js built-ins',
      }),
    ),
  ])('$name: fails that call alone', async ({ name, attempt, told }) => {
    await server.publish({ name, handler: `() => { ${attempt} }` })
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call(name)).toMatchObject({ status: 500, code: 'FUNCTION_FAILED' })
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    expect(await server.faults(name)).toBe(1)
    await expect
      .poll(async () => (await server.log()).filter((line) => line.function === `shop/${name}`))
      .toMatchObject([{ error: expect.stringContaining(told) }])
  })
})
