import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { node26 } from './support/node-under-test.ts'
import { runawayLoops } from './support/runaway-loops.ts'
import { startFaultServer } from './support/start-fault-server.ts'

/** `npm run test:faults` runs everything here on both. */
describe(`the newest Node.js, ${node26().version},`, () => {
  it('stops each kind of runaway function and fails no bystander', async () => {
    const kinds = Object.keys(runawayLoops).length
    const { stdout } = await promisify(execFile)(
      process.execPath,
      [
        '--conditions=needle-source',
        fileURLToPath(new URL('./repeated-kills.ts', import.meta.url)),
        String(kinds),
        '300',
        // The machine may be busy.
        '3000',
      ],
      { env: { ...process.env, NEEDLE_FAULTS_NODE: '26' } },
    )
    expect(stdout).toContain('Node.js v26.')
    const report = JSON.parse(stdout.slice(stdout.indexOf('{')))
    expect(report).toMatchObject({ culpritsAnswered: kinds, bystandersFailed: 0 })
    expect(report.medianStallMs).toBeLessThan(500)
  })

  it('charges stray failures to their function', async () => {
    const server = await startFaultServer({ node: node26() })
    try {
      await server.publish({
        name: 'strays',
        handler: `() => {
          Promise.reject(new Error('stray promise'))
          queueMicrotask(() => { throw new Error('stray microtask') })
          setTimeout(() => { throw new Error('stray timer') }, 5)
          return {}
        }`,
      })
      const { status, revision } = await server.call('strays')
      expect(status).toBe(200)
      await expect
        .poll(async () => (await server.events()).filter(({ type }) => type === 'strayFailure'))
        .toEqual(Array(3).fill(expect.objectContaining({ revision })))
      expect(await server.call('plain')).toMatchObject({ status: 200 })
    } finally {
      await server.close()
    }
  })
})
