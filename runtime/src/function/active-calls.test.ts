import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Bulkhead } from './bulkhead.ts'
import { createDeadlineWheel } from './deadline-wheel.ts'
import { resumeCalls } from './interrupted-calls.ts'
import type { LoadRevisionOptions } from './load-revision.ts'
import { artifactOf, loadFixture, toCall } from './testing/revision-fixture.ts'

/** Lets the test end calls one by one, in the order they were entered. */
function createGate() {
  const entered: { id: string; leave: (value?: unknown) => void }[] = []
  return {
    entered,
    services: {
      enter: (id: string) =>
        new Promise((resolve) => {
          entered.push({ id, leave: resolve })
        }),
    },
  }
}

const gated = artifactOf(
  // Who reads `signal` is ended when the client goes.
  `{ uses: ['enter'], handler: (input, { services, signal }) => services.enter(input.id) }`,
)

async function loadGated(
  settings: { maxConcurrency: number; maxQueue?: number; timeoutMs?: number },
  options: Partial<LoadRevisionOptions> = {},
) {
  const gate = createGate()
  const fixture = await loadFixture(gated, { services: gate.services, settings, ...options })
  const ask = (id: string, parts = {}) =>
    fixture.revision.invoke(toCall({ body: JSON.stringify({ id }), ...parts }))
  return { ...fixture, gate, ask }
}

const record = {
  isProven: false,
  isWatched: false,
  begins: () => {},
  ends: () => {},
  graduates: () => {},
}

const turn = () => delay(1)

describe('the queue of a function', () => {
  it('enters waiting calls in order, one for each that ends', async () => {
    const { ask, gate, revision } = await loadGated({ maxConcurrency: 1, maxQueue: 2 })
    const answers = ['a', 'b', 'c'].map((id) => ask(id))
    await turn()
    expect(gate.entered.map(({ id }) => id)).toEqual(['a'])
    expect(revision.inFlight).toBe(3)
    for (let index = 0; index < 3; index++) {
      gate.entered[index]?.leave(index)
      await answers[index]
      await turn()
    }
    expect(gate.entered.map(({ id }) => id)).toEqual(['a', 'b', 'c'])
    expect((await Promise.all(answers)).map(({ body }) => body)).toEqual(['0', '1', '2'])
    expect(revision.inFlight).toBe(0)
  })

  it('answers 503 at once past its end', async () => {
    const { ask, gate } = await loadGated({ maxConcurrency: 1, maxQueue: 1 })
    const first = ask('a')
    const second = ask('b')
    expect(await ask('c')).toMatchObject({
      status: 503,
      errorCode: 'FUNCTION_BUSY',
      functionFault: false,
      headers: { 'retry-after': '1' },
    })
    await turn()
    gate.entered[0]?.leave(1)
    await first
    await turn()
    gate.entered[1]?.leave(2)
    expect((await second).status).toBe(200)
  })

  it('answers 503 to a call whose deadline passes while it waits, and never enters it', async () => {
    // A stream keeps its place past the deadline of a plain answer.
    const { revision } = await loadFixture(
      artifactOf(`(() => {
        let entered = 0
        return () => {
          entered += 1
          if (entered > 1) return entered
          return new Response(new ReadableStream({ start: (stream) => stream.enqueue(new Uint8Array(1)) }))
        }
      })()`),
      { settings: { maxConcurrency: 1, maxQueue: 1, timeoutMs: 40 } },
    )
    const stream = await revision.invoke(toCall())
    expect(await revision.invoke(toCall())).toMatchObject({
      status: 503,
      errorCode: 'FUNCTION_BUSY',
      headers: { 'retry-after': '1' },
    })
    expect(revision.inFlight).toBe(1)
    if (stream.body instanceof ReadableStream) await stream.body.cancel()
    await turn()
    expect((await revision.invoke(toCall())).body).toBe('2')
  })

  it('drops a waiting call whose client goes away', async () => {
    const { ask, gate, revision } = await loadGated({ maxConcurrency: 1, maxQueue: 1 })
    const client = new AbortController()
    const first = ask('a')
    const second = ask('b', { signal: client.signal })
    client.abort()
    expect((await second).errorCode).toBe('CLIENT_CLOSED')
    expect(revision.inFlight).toBe(1)
    await turn()
    gate.entered[0]?.leave()
    await first
    await turn()
    expect(gate.entered).toHaveLength(1)
  })

  it('puts no call on the record of a probation whose turn never came', async () => {
    const gate = createGate()
    const told: string[] = []
    const { revision } = await loadFixture(gated, {
      services: gate.services,
      settings: { maxConcurrency: 1, maxQueue: 1 },
      probation: {
        calls: 2,
        guardMs: null,
        record: {
          ...record,
          begins: () => void told.push('begins'),
          ends: () => void told.push('ends'),
          graduates: () => void told.push('graduates'),
        },
      },
    })
    const ask = (id: string, signal?: AbortSignal) =>
      revision.invoke(toCall({ body: JSON.stringify({ id }), ...(signal && { signal }) }))
    const client = new AbortController()
    const answers = [ask('a'), ask('b', client.signal)]
    client.abort()
    await answers[1]
    await turn()
    expect(told).toEqual(['begins'])
    gate.entered[0]?.leave()
    await answers[0]
    expect(told).toEqual(['begins', 'ends'])
    expect(revision.isOnProbation).toBe(true)
  })

  it('enters a waiting call in the async context it came from', async () => {
    const request = new AsyncLocalStorage<string>()
    const seen: (string | undefined)[] = []
    const gate = createGate()
    const services = {
      enter: (id: string) => {
        seen.push(request.getStore())
        return gate.services.enter(id)
      },
    }
    const { revision } = await loadFixture(gated, {
      services,
      settings: { maxConcurrency: 1, maxQueue: 1 },
    })
    const answers = ['a', 'b'].map((id) =>
      request.run(id, () => revision.invoke(toCall({ body: JSON.stringify({ id }) }))),
    )
    await turn()
    gate.entered[0]?.leave(1)
    await answers[0]
    await turn()
    expect(seen).toEqual(['a', 'b'])
    gate.entered[1]?.leave(1)
    await answers[1]
  })

  it('ends with the revision, waiting calls and running ones', async () => {
    const { ask, gate, revision } = await loadGated({ maxConcurrency: 1, maxQueue: 1 })
    const answers = [ask('a'), ask('b')]
    await turn()
    revision.dispose()
    expect((await Promise.all(answers)).map(({ errorCode }) => errorCode)).toEqual([
      'FUNCTION_STOPPED',
      'FUNCTION_STOPPED',
    ])
    expect(gate.entered).toHaveLength(1)
    expect(await revision.drained(1)).toBe('drained')
  })

  it('waits for queued calls when it drains', async () => {
    const { ask, gate, revision } = await loadGated({ maxConcurrency: 1, maxQueue: 1 })
    const answers = [ask('a'), ask('b')]
    const drained = revision.drained(5000)
    for (let index = 0; index < 2; index++) {
      await turn()
      gate.entered[index]?.leave(index)
      await answers[index]
    }
    expect(await drained).toBe('drained')
    expect((await answers[1])?.status).toBe(200)
  })
})

describe('two revisions of a function', () => {
  const one = { maxConcurrency: 1, maxQueue: 1 }

  it('have the places of one', async () => {
    const bulkhead = new Bulkhead()
    const before = await loadGated({ maxConcurrency: 1 }, { bulkhead })
    const after = await loadGated({ maxConcurrency: 1 }, { bulkhead })
    const slow = before.ask('a')
    await turn()
    expect(await after.ask('b')).toMatchObject({
      status: 503,
      errorCode: 'FUNCTION_BUSY',
      headers: { 'retry-after': '1' },
    })
    expect([before.revision.inFlight, after.revision.inFlight]).toEqual([1, 0])
    before.gate.entered[0]?.leave()
    await slow
    const next = after.ask('c')
    await turn()
    after.gate.entered[0]?.leave()
    expect((await next).status).toBe(204)
  })

  it('have one queue, in the order of arrival', async () => {
    const bulkhead = new Bulkhead()
    const gate = createGate()
    const options = { bulkhead, services: gate.services }
    const limits = { maxConcurrency: 1, maxQueue: 3 }
    const before = await loadGated(limits, options)
    const after = await loadGated(limits, options)
    const answers = [before.ask('a'), after.ask('b'), before.ask('c'), after.ask('d')]
    expect((await after.ask('e')).errorCode).toBe('FUNCTION_BUSY')
    expect([before.revision.inFlight, after.revision.inFlight]).toEqual([2, 2])
    for (let index = 0; index < 4; index++) {
      await turn()
      expect(gate.entered).toHaveLength(index + 1)
      gate.entered[index]?.leave()
      await answers[index]
    }
    expect(gate.entered.map(({ id }) => id)).toEqual(['a', 'b', 'c', 'd'])
  })

  it('drain one without the other', async () => {
    const bulkhead = new Bulkhead()
    const before = await loadGated(one, { bulkhead })
    const after = await loadGated(one, { bulkhead })
    const slow = before.ask('a')
    const waiting = after.ask('b')
    await turn()
    const drained = before.revision.drained(5000)
    before.gate.entered[0]?.leave()
    await slow
    expect(await drained).toBe('drained')
    expect(after.revision.inFlight).toBe(1)
    await turn()
    after.gate.entered[0]?.leave()
    expect((await waiting).status).toBe(204)
  })

  type Gated = Awaited<ReturnType<typeof loadGated>>
  it.each<[string, (before: Gated, client: AbortController) => unknown, string[]]>([
    [
      'is disposed of',
      ({ revision }) => revision.dispose(),
      ['FUNCTION_STOPPED', 'FUNCTION_STOPPED'],
    ],
    [
      'is stopped as a runaway',
      ({ revision }) => revision.stopRunaway('r1'),
      ['FUNCTION_RUNAWAY', 'FUNCTION_STOPPED'],
    ],
    [
      'stands by past its drain deadline',
      ({ revision }) => revision.standBy(1),
      ['FUNCTION_STOPPED', 'FUNCTION_STOPPED'],
    ],
    ['takes too long', () => delay(200), ['FUNCTION_TIMEOUT', 'FUNCTION_BUSY']],
    ['has its clients go', (_, client) => client.abort(), ['CLIENT_CLOSED', 'CLIENT_CLOSED']],
  ])('have all places back when one %s', async (_, end, codes) => {
    const bulkhead = new Bulkhead()
    const before = await loadGated({ ...one, timeoutMs: 100 }, { bulkhead })
    const after = await loadGated({ ...one, timeoutMs: 5000 }, { bulkhead })
    const client = new AbortController()
    const { signal } = client
    const ended = [
      before.ask('a', { signal, requestId: 'r1' }),
      before.ask('b', { signal, requestId: 'r2' }),
    ]
    expect((await after.ask('c')).errorCode).toBe('FUNCTION_BUSY')
    await turn()
    await end(before, client)
    expect((await Promise.all(ended)).map(({ errorCode }) => errorCode)).toEqual(codes)
    expect(before.revision.inFlight).toBe(0)
    const answers = [after.ask('d'), after.ask('e')]
    for (let index = 0; index < 2; index++) {
      await turn()
      expect(after.gate.entered).toHaveLength(index + 1)
      after.gate.entered[index]?.leave()
    }
    expect((await Promise.all(answers)).map(({ status }) => status)).toEqual([204, 204])
  })

  it('have the place back when a stream of one has ended', async () => {
    const bulkhead = new Bulkhead()
    const settings = { maxConcurrency: 1 }
    const endless = artifactOf(`() => new Response(new ReadableStream({
      start: (stream) => stream.enqueue(new Uint8Array(1))
    }))`)
    const before = await loadFixture(endless, { settings, bulkhead, streamIdleMs: 50 })
    const after = await loadFixture(artifactOf('() => 1'), { settings, bulkhead })
    const cancelled = await before.invoke()
    expect((await after.invoke()).errorCode).toBe('FUNCTION_BUSY')
    if (cancelled.body instanceof ReadableStream) await cancelled.body.cancel()
    expect((await after.invoke()).status).toBe(200)
    const idle = await before.invoke()
    expect((await after.invoke()).errorCode).toBe('FUNCTION_BUSY')
    expect(await idle.ended).toBe('FUNCTION_TIMEOUT')
    expect((await after.invoke()).status).toBe(200)
  })

  it('leave alone a call that gets its turn when another starves', async () => {
    const bulkhead = new Bulkhead()
    const before = await loadGated(one, { bulkhead })
    const after = await loadGated(one, { bulkhead })
    const starved = before.ask('a')
    const next = after.ask('b')
    // Neither has been entered yet, but the microtask of the second comes only now.
    resumeCalls()
    expect(await starved).toMatchObject({ status: 504, functionFault: false })
    await turn()
    after.gate.entered[0]?.leave()
    expect((await next).status).toBe(204)
  })

  it('do not hold it against a call that its turn comes with its deadline', async () => {
    const bulkhead = new Bulkhead()
    const wheel = createDeadlineWheel({ tickMs: 10 })
    const old = await loadGated(one, { bulkhead, wheel })
    const next = await loadGated(one, { bulkhead, wheel })
    const running = old.ask('a', { timeoutMs: 50 })
    const waiting = next.ask('b', { timeoutMs: 100 })
    await turn()
    // Both are over when the wheel is swept again.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200)
    expect(await running).toMatchObject({ status: 504, errorCode: 'FUNCTION_TIMEOUT' })
    expect(await waiting).toMatchObject({ errorCode: 'FUNCTION_BUSY', functionFault: false })
    expect(next.gate.entered).toEqual([])
  })

  it('have a call that starved made anew when its turn comes again', async () => {
    const bulkhead = new Bulkhead()
    const starves = artifactOf(`(() => {
      let left = 2
      return () => {
        if (left-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
        return 1
      }
    })()`)
    const before = await loadFixture(starves, {
      bulkhead,
      probation: {
        calls: 100,
        guardMs: 100,
        record,
      },
      settings: { idempotent: true, maxConcurrency: 1, maxQueue: 1, timeoutMs: 5000 },
    })
    const after = await loadGated(one, { bulkhead })
    const anew = before.invoke()
    const next = after.ask('a')
    await expect.poll(() => after.gate.entered).toHaveLength(1)
    const inFlight = () => [before, after].map(({ revision }) => revision.inFlight)
    await expect.poll(inFlight).toEqual([1, 1])
    after.gate.entered[0]?.leave()
    expect((await next).status).toBe(204)
    // The second time it starves it is over.
    expect(await anew).toMatchObject({ status: 504, errorCode: 'FUNCTION_TIMEOUT' })
    expect((await before.invoke()).status).toBe(200)
    expect(bulkhead.isFull(0, one)).toBe(false)
  })
})
