import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
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
  `{ uses: ['enter'], handler: (input, { services }) => services.enter(input.id) }`,
)

async function loadGated(settings: { maxConcurrency: number; maxQueue?: number }) {
  const gate = createGate()
  const fixture = await loadFixture(gated, { services: gate.services, settings })
  const ask = (id: string, parts = {}) =>
    fixture.revision.invoke(toCall({ body: JSON.stringify({ id }), ...parts }))
  return { ...fixture, gate, ask }
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
          isProven: false,
          isWatched: false,
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
