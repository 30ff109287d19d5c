import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { nodeUnderTest } from './support/node-under-test.ts'
import { type FaultServer, startFaultServer } from './support/start-fault-server.ts'
import { undisturbedMs } from './support/undisturbed.ts'
import { withBystanders } from './support/with-bystanders.ts'

describe(`what a function leaves behind, on Node.js ${nodeUnderTest.version},`, () => {
  let server: FaultServer

  beforeAll(async () => {
    server = await startFaultServer()
  })
  afterAll(async () => server.close())

  it.each([
    { name: 'interval', left: 'setInterval(tick, 5)' },
    { name: 'timeouts', left: 'const again = () => { tick(); setTimeout(again, 5) }; again()' },
    { name: 'immediates', left: 'const again = () => { tick(); setImmediate(again) }; again()' },
    {
      name: 'loop',
      left: `void (async () => {
        for (;;) { tick(); await new Promise((resolve) => setTimeout(resolve, 5)) }
      })()`,
    },
    {
      name: 'timeout-signals',
      left: `const again = () => {
        tick()
        AbortSignal.timeout(5).addEventListener('abort', again)
      }
      again()`,
    },
  ])('$name: runs until its revision is disposed of, and no longer', async ({ name, left }) => {
    await server.publish({
      name,
      handler: `(input, { services }) => {
        const tick = () => services.notes.add('${name}')
        ${left}
        return {}
      }`,
      settings: { uses: ['notes'] },
    })
    const ticks = async (): Promise<number> =>
      (await server.notes()).filter((note) => note === name).length
    const bystanders = await withBystanders(server, async () => {
      expect(await server.call(name)).toMatchObject({ status: 200 })
      await expect.poll(ticks).toBeGreaterThan(3)
      await server.publish({ name, handler: '() => ({ replaced: true })' })
      expect(await server.call(name)).toMatchObject({ body: { replaced: true } })
      // The old revision is drained, then disposed of: it may tick until then.
      await expect.poll(async () => stands(ticks)).toBe(true)
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
  })

  it('a call that does not heed the end of its revision: is answered 503 after the drain', async () => {
    await server.publish({
      name: 'listener',
      handler: `(input, { signal, services }) => new Promise(() => {
        services.notes.add('begun')
        signal.addEventListener('abort', () => services.notes.add(signal.reason.code))
      })`,
      settings: { uses: ['notes'], timeoutMs: 60_000 },
    })
    const notes = async (): Promise<string[]> =>
      (await server.notes()).filter((note) => note === 'begun' || note.startsWith('FUNCTION_'))
    const bystanders = await withBystanders(server, async () => {
      const call = server.call('listener')
      await expect.poll(notes).toEqual(['begun'])
      await server.publish({ name: 'listener', handler: '() => ({ replaced: true })' })
      expect(await server.call('listener')).toMatchObject({ body: { replaced: true } })
      expect(await call).toMatchObject({ status: 503, code: 'FUNCTION_STOPPED' })
      await expect.poll(notes).toEqual(['begun', 'FUNCTION_STOPPED'])
    })
    expect(bystanders.failed).toBe(0)
    expect(bystanders.longestMs).toBeLessThan(undisturbedMs)
    expect(await server.events()).toContainEqual(
      expect.objectContaining({
        type: 'drainTimedOut',
        revision: expect.stringContaining('shop/listener@'),
        inFlight: 1,
      }),
    )
  })
})

/** Whether nothing is counted for a while. */
async function stands(count: () => Promise<number>): Promise<boolean> {
  const before = await count()
  await delay(100)
  return (await count()) === before
}
