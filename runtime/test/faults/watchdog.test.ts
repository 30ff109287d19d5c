import { execFile } from 'node:child_process'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { joinParts } from '../../src/function/container/artifact-parts.ts'
import { nodeUnderTest } from './support/node-under-test.ts'
import { runawayLoops } from './support/runaway-loops.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { withBystanders } from './support/with-bystanders.ts'

const limitMs = 300
/** What is promised of a machine that is not busy. One kill of a few is soon enough also on one that is. */
const promisedStallMs = limitMs + 200
const fewKills = 3
/** Far above: of one kill it shows that the stall is ended rather than waited out. */
const longestStallMs = limitMs + 2500

/** What the digest of the release begins with that a revision is of. */
function releaseOf(revisionId: string | null): RegExp {
  return new RegExp(`^sha256:${revisionId?.split('@')[1]}`)
}

describe(`a function that never lets go, on Node.js ${nodeUnderTest.version}, of many in one process,`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer({ limitMs })
  })
  afterAll(async () => server.close())

  it.each(Object.entries(runawayLoops))(
    'is stopped in %s, while others are answered',
    async (what, handler) => {
      const name = `culprit-${Object.keys(runawayLoops).indexOf(what)}`
      let shortestStallMs = Infinity
      for (let kill = 0; kill < fewKills && shortestStallMs >= promisedStallMs; kill += 1) {
        await server.publish({ name, handler: `/* ${kill} */ ${handler}` })
        const [culprit, ...others] = await Promise.all([
          server.call(name),
          server.call('plain'),
          server.call('waiting'),
          server.call('plain'),
        ])
        expect(culprit).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
        for (const other of others) expect(other).toMatchObject({ status: 200, body: { n: '1' } })
        expect(await server.call(name)).toMatchObject({
          status: 503,
          code: 'FUNCTION_QUARANTINED',
        })
        const stallMs = Math.max(...others.map(({ durationMs }) => durationMs))
        shortestStallMs = Math.min(shortestStallMs, stallMs)
      }
      expect(shortestStallMs).toBeLessThan(promisedStallMs)
    },
  )
})

describe(`a function that never lets go, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeEach(async () => {
    server = await startFaultServer({ limitMs })
  })
  afterEach(async () => server.close())

  it.each([
    ['by itself', '{ input: __needle_packages.endless, handler: () => ({}) }'],
    ['through its own code', '() => __needle_packages.endless["~standard"].validate()'],
  ])('is stopped in a package that is entered %s', async (_, definition) => {
    const packages = `var __needle_packages = {
      endless: { '~standard': { version: 1, vendor: 'test', validate() { for (;;) {} } } },
    };`
    const own = `var __needle_function = ((packages) => {
      const __needle_packages = packages
      return { default: ${definition} }
    })(__needle_packages)`
    const script = Buffer.from(joinParts(packages, own)).toString()
    await server.publish({ name: 'culprit', handler: '', script })
    const [culprit, plain] = await Promise.all([server.call('culprit'), server.call('plain')])
    expect(culprit).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
    expect(plain).toMatchObject({ status: 200 })
    expect(await server.call('culprit')).toMatchObject({ code: 'FUNCTION_QUARANTINED' })
  })

  // The V8 of Node.js 26 writes JSON without a look for orders to stop.
  it.runIf(nodeUnderTest.version.startsWith('v24'))(
    'is stopped in the JSON of its answer',
    async () => {
      await server.publish({
        name: 'culprit',
        handler: `async () => {
          const list = (of) => new Array(1000).fill(of)
          return list(list(list(7)))
        }`,
      })
      const [culprit, plain] = await Promise.all([server.call('culprit'), server.call('plain')])
      expect(culprit).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
      expect(plain).toMatchObject({ status: 200 })
    },
  )

  it('is stopped where it cancels a stream, after the answer', async () => {
    await server.publish({
      name: 'culprit',
      handler: `() => new Response(new ReadableStream({
        start: (controller) => controller.enqueue('no'.length),
        cancel() { for (;;) {} },
      }))`,
    })
    expect(await server.call('culprit')).toMatchObject({ status: 500, code: 'FUNCTION_FAILED' })
    await expect.poll(async () => (await server.call('culprit')).code).toBe('FUNCTION_QUARANTINED')
  })

  it('is reported and stays out of service, until another release comes', async () => {
    await server.publish({ name: 'culprit', handler: runawayLoops['code after an await'] })
    const { revision } = await server.call('culprit')
    await server.control('refresh', {})
    expect(await server.call('culprit')).toMatchObject({ status: 503 })

    const status = await server.status()
    expect(status).toMatchObject({
      degraded: true,
      watchdog: { mode: 'stopping', reason: null, limitMs, kills: 1 },
    })
    expect(status.functions.find((each) => each.function === 'shop/culprit')).toMatchObject({
      stable: null,
      refusals: [{ side: 'stable', code: 'FUNCTION_RUNAWAY' }],
    })
    const events = await server.events()
    expect(events.filter(({ type }) => type === 'runaway')).toMatchObject([
      { revision, stopped: true, stalledMs: expect.any(Number) },
    ])
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'functionRefused', code: 'FUNCTION_RUNAWAY' }),
    )
    // What the culprit left unfinished must not be charged with the host's own failures.
    expect(await server.control('attribution')).toEqual({ now: null, later: null })

    await server.publish({ name: 'culprit', handler: 'async () => ({ mended: true })' })
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { mended: true } })
    await server.publish({ name: 'culprit', handler: runawayLoops['code after an await'] })
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { mended: true } })
  })

  it('leaves its traffic to stable when it was a canary', async () => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    await server.publish({
      name: 'culprit',
      handler: runawayLoops['synchronous code'],
      role: 'canary',
    })
    const answers = await Promise.all([server.call('culprit'), server.call('plain')])
    expect(answers.map(({ status }) => status)).toEqual([504, 200])
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { proven: true } })
    await server.control('refresh', {})
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { proven: true } })
  })

  it('is told to the fleet at once when it was a canary, and is none again at another weight', async () => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    const canary = {
      name: 'culprit',
      handler: runawayLoops['a timer callback'],
      role: 'canary',
    } as const
    await server.publish(canary)
    const { status, revision } = await server.call('culprit')
    expect(status).toBe(504)
    await expect
      .poll(async () => (await server.report())?.functions['shop/culprit'], {
        // Far sooner than it reports without a cause.
        timeout: 5000,
      })
      .toMatchObject({
        canary: null,
        weightPercent: 0,
        stable: expect.not.stringMatching(releaseOf(revision)),
        rollout: { measured: { canary: { calls: 1, faults: 1 } }, trip: null },
        refusals: [
          { code: 'FUNCTION_RUNAWAY', release: expect.stringMatching(releaseOf(revision)) },
        ],
      })

    const before = (await server.status()).manifest?.version ?? 0
    await server.publish({ ...canary, weightPercent: 99 })
    const { manifest, functions } = await server.status()
    expect(manifest?.version).toBe(before + 1)
    expect(functions.find((each) => each.function === 'shop/culprit')).toMatchObject({
      canary: null,
      refusals: [{ side: 'canary', code: 'FUNCTION_RUNAWAY' }],
    })
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { proven: true } })
  })

  it('leaves its traffic to the release proven before it when it was stable', async () => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    await server.publish({
      name: 'culprit',
      handler: runawayLoops['synchronous code'],
      role: 'stable',
    })
    const calls = await Promise.all(Array.from({ length: 20 }, () => server.call('culprit')))
    const unanswered = calls.filter(({ status }) => status !== 200)
    expect(unanswered).toMatchObject([{ status: 504, code: 'FUNCTION_RUNAWAY' }])
  })

  it('costs one limit, however many calls had come for it', async () => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    await server.publish({
      name: 'culprit',
      handler: runawayLoops['synchronous code'],
      role: 'canary',
    })
    const calls = await Promise.all(Array.from({ length: 20 }, () => server.call('culprit')))
    const unanswered = calls.filter(({ status }) => status !== 200)
    expect(unanswered).toMatchObject([{ status: 504, code: 'FUNCTION_RUNAWAY' }])
    expect(Math.max(...calls.map(({ durationMs }) => durationMs))).toBeLessThan(longestStallMs)
  })

  it.each([
    { what: 'timers of one call', calls: 1, timers: 150 },
    { what: 'timers of many calls', calls: 50, timers: 1 },
  ])('lets others be answered between $what that are due at once', async ({ calls, timers }) => {
    await server.publish({
      name: 'culprit',
      handler: `() => new Promise(() => {
        for (let left = ${timers}; left > 0; left--) setTimeout(() => { for (;;) {} }, 20)
      })`,
    })
    const bystanders = await withBystanders(server, async () => {
      await Promise.all(Array.from({ length: calls }, () => server.call('culprit')))
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(limitMs + 1000)
    expect((await server.status()).watchdog.kills).toBeLessThanOrEqual(2)
  })

  it.each([
    ['its default export', '0, get default() { for (;;) {} }'],
    ['its definition', '{ handler: () => 1, get input() { for (;;) {} } }'],
  ])('is refused when it does so while %s is read, and polls go on', async (_what, handler) => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    await server.publish({ name: 'culprit', handler })
    const { functions } = await server.status()
    expect(functions.find((each) => each.function === 'shop/culprit')).toMatchObject({
      refusals: [{ code: 'FUNCTION_RUNAWAY' }],
    })
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { proven: true } })
  })

  it('is refused when it does so at its top level, after no more than the limit', async () => {
    await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
    await server.publish({ name: 'culprit', handler: '(() => { for (;;) {} })()' })
    const { functions } = await server.status()
    expect(functions.find((each) => each.function === 'shop/culprit')).toMatchObject({
      refusals: [
        {
          code: 'FUNCTION_LOAD_TIMEOUT',
          message: expect.stringContaining(`did not finish loading within ${limitMs} ms`),
        },
      ],
    })
    expect(await server.call('culprit')).toMatchObject({ status: 200, body: { proven: true } })
  })

  it.each([
    ['message', 'FUNCTION_RUNAWAY'],
    ['stack', 'FUNCTION_THROWS_AT_LOAD'],
  ])(
    'is refused when it does so in the %s of what it threw at its top level',
    async (what, code) => {
      await server.publish({ name: 'culprit', handler: 'async () => ({ proven: true })' })
      const thrown = `Object.defineProperty(new Error('no'), '${what}', { get() { for (;;) {} } })`
      await server.publish({ name: 'culprit', handler: `(() => { throw ${thrown} })()` })
      const { functions } = await server.status()
      expect(functions.find((each) => each.function === 'shop/culprit')).toMatchObject({
        refusals: [{ code }],
      })
      expect(await server.call('culprit')).toMatchObject({ status: 200, body: { proven: true } })
    },
  )

  it('is waited for, and named to nobody, in a native that cannot be interrupted', async () => {
    await server.publish({
      name: 'native',
      handler: `() => {
        const { pbkdf2Sync } = globalThis[Symbol.for('needle.builtin')]('node:crypto')
        const hash = (rounds) => {
          const begunAt = performance.now()
          pbkdf2Sync('a', 'b', rounds, 32, 'sha512')
          return performance.now() - begunAt
        }
        const rounds = 20_000
        const warm = Math.min(hash(rounds), hash(rounds))
        hash(Math.ceil((rounds * ${5 * limitMs}) / warm))
        return {}
      }`,
    })
    const [native, plain] = await Promise.all([server.call('native'), server.call('plain')])
    expect(native).toMatchObject({ status: 200 })
    expect(plain).toMatchObject({ status: 200 })
    await expect.poll(() => server.stderr).toContain('The event loop stands still in native code')
    expect((await server.status()).watchdog).toMatchObject({ mode: 'stopping', kills: 0 })
    // And it still ends what it can.
    await server.publish({ name: 'culprit', handler: runawayLoops['synchronous code'] })
    expect(await server.call('culprit')).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
  })

  it('lets the process exit quietly soon after it was stopped', async () => {
    await server.publish({ name: 'culprit', handler: runawayLoops['synchronous code'] })
    expect(await server.call('culprit')).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
    await setTimeout(1000)
    await server.close()
    expect(server.stderr).not.toContain('debugger')
  })

  it('that only works hard for a while is let be', async () => {
    await server.publish({
      name: 'busy',
      handler: '() => { const end = Date.now() + 220; while (Date.now() < end); return {} }',
    })
    const calls = await Promise.all(Array.from({ length: 8 }, () => server.call('busy')))
    expect(calls.map(({ status }) => status)).toEqual(calls.map(() => 200))
    expect((await server.status()).watchdog.kills).toBe(0)
  })
})

it('lets a process exit quietly where nothing was stopped', async () => {
  const server = await startFaultServer({ limitMs })
  await server.close()
  expect(server.stderr).not.toContain('debugger')
})

it.each([
  {
    reason: 'async_hooks are enabled',
    preload: `import { createHook } from 'node:async_hooks'
      createHook({ init: () => {} }).enable()`,
  },
  {
    // A process that takes itself for one: what is to be seen is that it is not stopped.
    reason: 'Node.js v22.22.0 is too old',
    preload: `Object.defineProperty(process, 'version', { value: 'v22.22.0' })
      Object.defineProperty(process.versions, 'node', { value: '22.22.0' })`,
  },
])('only reports a stall where stopping it would end the process: $reason', async (unsafe) => {
  const { reason, preload } = unsafe
  const server = await startFaultServer({ limitMs, preload })
  try {
    await expect
      .poll(async () => (await server.status()).watchdog)
      .toMatchObject({ mode: 'reporting', reason })
    await server.publish({
      name: 'culprit',
      handler: 'async () => { const end = Date.now() + 900; while (Date.now() < end); return {} }',
    })
    expect(await server.call('culprit')).toMatchObject({ status: 200 })
    expect((await server.status()).watchdog.kills).toBe(0)
    expect(server.stderr).toContain('A function holds the event loop')
    await expect
      .poll(async () => (await server.events()).filter(({ type }) => type === 'runaway'))
      .toMatchObject([{ stopped: false, revision: expect.stringContaining('shop/culprit@') }])
  } finally {
    await server.close()
  }
})

it('only reports once async_hooks are enabled in a process that runs, and stops when they are not', async () => {
  const server = await startFaultServer({ limitMs })
  const watchdog = async () => (await server.status()).watchdog
  // It looks every second.
  const soon = { timeout: 3000 }
  try {
    await server.publish({
      name: 'busy',
      handler: 'async () => { const end = Date.now() + 900; while (Date.now() < end); return {} }',
    })
    await expect.poll(watchdog).toMatchObject({ mode: 'stopping', reason: null })
    await server.control('tracing', { isEnabled: true })
    await expect
      .poll(watchdog, soon)
      .toMatchObject({ mode: 'reporting', reason: 'async_hooks are enabled' })
    expect(await server.call('busy')).toMatchObject({ status: 200 })
    await expect
      .poll(async () => (await server.events()).filter(({ type }) => type === 'runaway'))
      .toMatchObject([{ stopped: false, revision: expect.stringContaining('shop/busy@') }])
    expect(await watchdog()).toMatchObject({ mode: 'reporting', kills: 0 })

    await server.control('tracing', { isEnabled: false })
    await expect.poll(watchdog, soon).toMatchObject({ mode: 'stopping', reason: null })
    expect(await server.call('busy')).toMatchObject({ status: 504, code: 'FUNCTION_RUNAWAY' })
  } finally {
    await server.close()
  }
})

it('answers every culprit and fails no bystander over 50 kills in a row', async () => {
  // A client in a process of its own, as any.
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--conditions=needle-source',
    fileURLToPath(new URL('./repeated-kills.ts', import.meta.url)),
    '50',
    String(limitMs),
    String(longestStallMs),
  ])
  const report = JSON.parse(stdout.slice(stdout.indexOf('{')))
  expect(report).toMatchObject({ kills: 50, culpritsAnswered: 50, bystandersFailed: 0 })
  // Half of the kills may meet a machine that is busy.
  expect(report.medianStallMs).toBeLessThan(promisedStallMs)
}, 120_000)
