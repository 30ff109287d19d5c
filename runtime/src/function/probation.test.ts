import { expect, it } from 'vitest'
import type { ProbationRecord } from './probation.ts'
import { artifactOf, loadFixture } from './testing/revision-fixture.ts'

const record: ProbationRecord = { callBegins: () => {}, callEnds: () => {}, graduates: () => {} }

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
    const { pbkdf2Sync } = globalThis[Symbol.for('needle.builtin')]('node:crypto')
    const hash = (rounds) => pbkdf2Sync('a', 'b', rounds, 32, 'sha512')
    const begunAt = performance.now()
    hash(20_000)
    if (ms > 0) hash(Math.ceil((20_000 * ms) / (performance.now() - begunAt)))
    return 'done'
  }`)
  expect(await statusesOf(native, [0, 800, 0])).toEqual([200, 504, 503])
})

it('takes a call that had no time to compute for bad luck, and two in a row for the function', async () => {
  expect(await statusesOf(idles, [60_000, 0, 60_000, 0])).toEqual([504, 200, 504, 200])
  expect(await statusesOf(idles, [60_000, 60_000, 0])).toEqual([504, 504, 503])
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
