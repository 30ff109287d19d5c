import { AsyncLocalStorage } from 'node:async_hooks'
import { describe, expect, it } from 'vitest'
import type { Settings } from '../manifest/settings.ts'
import type { ProbationRecord } from './probation.ts'
import { artifactOf, loadFixture } from './testing/revision-fixture.ts'

const record: ProbationRecord = {
  isProven: false,
  isWatched: false,
  begins: () => {},
  ends: () => {},
  graduates: () => {},
}

/** Holds the thread, and computes nothing: what a call looks like that gets no processor. */
const idles = artifactOf(`({ ms }) => {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
  return 'done'
}`)
const computes = artifactOf(`({ ms }) => {
  for (const end = Date.now() + ms; Date.now() < end;);
  return 'done'
}`)

/** What a revision on probation answers, one after another, to calls that take so long. */
async function statusesOf(source: string, durationsMs: readonly number[]): Promise<number[]> {
  const { answer, revision } = await loadFixture(source, {
    probation: { calls: 100, guardMs: 300, record },
    onOverrun: (of, requestId) => of.stopRunaway(requestId),
  })
  const statuses: number[] = []
  for (const ms of durationsMs) statuses.push((await answer({ body: `{"ms":${ms}}` })).status)
  revision.dispose()
  return statuses
}

it('condemns what computes past its guard', async () => {
  expect(await statusesOf(computes, [0, 60_000, 0])).toEqual([200, 504, 503])
})

it('condemns what a native computes past its guard, once that has returned', async () => {
  const native = artifactOf(`({ ms }) => {
    if (ms === 0) return 'done'
    const { pbkdf2Sync } = globalThis[Symbol.for('needle.builtin')]('node:crypto')
    const hash = (rounds) => {
      const begunAt = performance.now()
      pbkdf2Sync('a', 'b', rounds, 32, 'sha512')
      return performance.now() - begunAt
    }
    // The quickest of some: what else runs on the machine only makes them slower.
    const tries = Array.from({ length: 5 }, () => hash(5_000))
    hash(Math.ceil((5_000 * ms) / Math.min(...tries)))
    return 'done'
  }`)
  expect(await statusesOf(native, [0, 1200, 0])).toEqual([200, 504, 503])
})

it('takes a call that had no time to compute for bad luck, and three in a row for the function', async () => {
  const long = 60_000
  expect(await statusesOf(idles, [long, long, 0, long, 0])).toEqual([504, 504, 200, 504, 200])
  expect(await statusesOf(idles, [long, long, long, 0])).toEqual([504, 504, 504, 503])
})

/** Idles so often before it answers. */
async function loadIdling(times: number, settings: Partial<Settings> = {}) {
  const context = new AsyncLocalStorage<string>()
  const source = artifactOf(`(() => {
    let left = ${times}
    return (_, { deadline, services }) => {
      if (left-- > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000)
      return { leftMs: deadline - Date.now(), context: services.host.context() }
    }
  })()`)
  const fixture = await loadFixture(source, {
    probation: { calls: 100, guardMs: 100, record },
    onOverrun: (of, requestId) => of.stopRunaway(requestId),
    services: { host: { context: () => context.getStore() } },
    settings: { idempotent: true, uses: ['host'], timeoutMs: 5000, ...settings },
  })
  const answer = () => context.run('of the request', () => fixture.answer())
  return { ...fixture, answer }
}
const codeOf = (code: string) => ({ body: { error: { code } } })

describe('a call that had no time to compute, and may be made twice', () => {
  it('is made anew where it came from, in what is left of its time', async () => {
    const { answer, lines } = await loadIdling(1)
    const { status, body } = await answer()
    expect(status).toBe(200)
    expect(body).toEqual({ leftMs: expect.any(Number), context: 'of the request' })
    const leftMs = Number(Reflect.get(Object(body), 'leftMs'))
    expect(leftMs).toBeGreaterThan(0)
    expect(leftMs).toBeLessThanOrEqual(4900)
    expect(lines).toMatchObject([{ message: expect.stringContaining('no time to run') }])
  })

  it('is not made a third time', async () => {
    const { answer } = await loadIdling(2)
    expect(await answer()).toMatchObject(codeOf('FUNCTION_TIMEOUT'))
    expect(await answer()).toMatchObject({ status: 200 })
  })

  it('is the fault of its function when that goes on', async () => {
    const { answer } = await loadIdling(Number.POSITIVE_INFINITY)
    expect(await answer()).toMatchObject(codeOf('FUNCTION_TIMEOUT'))
    expect(await answer()).toMatchObject(codeOf('FUNCTION_RUNAWAY'))
    expect(await answer()).toMatchObject(codeOf('FUNCTION_QUARANTINED'))
  })

  it('is not made anew when no time is left', async () => {
    const { answer, lines } = await loadIdling(1, { timeoutMs: 100 })
    expect(await answer()).toMatchObject(codeOf('FUNCTION_TIMEOUT'))
    expect(lines).toHaveLength(1)
  })
})

it('blames nobody for a call that had no time to compute', async () => {
  const { invoke, lines } = await loadFixture(idles, {
    probation: { calls: 100, guardMs: 100, record },
  })
  expect(await invoke({ body: '{"ms":60000}' })).toMatchObject({
    status: 504,
    errorCode: 'FUNCTION_TIMEOUT',
    functionFault: false,
  })
  expect(lines).toMatchObject([
    { level: 'warn', message: expect.stringContaining('no time to run') },
  ])
})

it('guards one that has frozen its globalThis', async () => {
  expect(await statusesOf(`Object.freeze(globalThis); ${computes}`, [0, 60_000, 0])).toEqual([
    200, 504, 503,
  ])
})

it('guards none that has proven itself and is watched', async () => {
  const watched = { ...record, isProven: true, isWatched: true }
  const { answer, revision } = await loadFixture(computes, {
    probation: { calls: 0, guardMs: 100, record: watched },
  })
  expect(revision.isOnProbation).toBe(false)
  expect(await answer({ body: '{"ms":300}' })).toMatchObject({ status: 200 })
})
