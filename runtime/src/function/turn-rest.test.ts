import { setImmediate, setTimeout } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { type Attribution, attributionOfLoad, currentCall, runAttributed } from './attribution.ts'
import { condemn } from './container/condemnation.ts'
import { artifactOf, loadFixture, textOf } from './testing/revision-fixture.ts'
import { beginRest, isResting, keepBack, restOver } from './turn-rest.ts'

const fresh: Attribution = attributionOfLoad('shop/fresh@0')
const trusted: Attribution = {
  ...attributionOfLoad('shop/trusted@0'),
  metrics: { successes: 1, recordLoopTime: () => undefined },
}

/** What was called, and by a dot each turn of the loop. */
let seen: string[] = []
const note = (name: string) => (): void => void seen.push(name)

beforeEach(() => {
  seen = []
})

it('gives each that is kept back a turn of its own, those that have answered before first', async () => {
  keepBack(fresh, note('a'))
  keepBack(undefined, note('b'))
  keepBack(trusted, note('c'))
  keepBack(trusted, note('d'))
  expect(seen).toEqual([])
  for (let turn = 0; turn < 5; turn += 1) {
    await setImmediate()
    seen.push('.')
  }
  expect(seen.join('')).toBe('c.d.a.b..')
})

it('lets others breathe after an execution was ended, but not those that have answered before', async () => {
  expect(isResting()).toBe(false)
  beginRest()
  expect(isResting()).toBe(true)
  const begunAt = performance.now()
  let breathMs = 0
  keepBack(fresh, () => (breathMs = performance.now() - begunAt))
  keepBack(trusted, note('a'))
  await setImmediate()
  expect(seen).toEqual(['a'])
  expect(isResting()).toBe(false)
  await setTimeout(20)
  keepBack(trusted, note('b'))
  await setImmediate()
  expect(seen).toEqual(['a', 'b'])
  expect(breathMs).toBe(0)
  await restOver(fresh)
  expect(breathMs).toBeGreaterThanOrEqual(99)
  // The loop has gone on since: nobody waits again.
  keepBack(fresh, note('c'))
  await setImmediate()
  expect(seen).toEqual(['a', 'b', 'c'])
})

it('calls in the async context in which it was asked to', async () => {
  let call: Attribution | undefined
  runAttributed(fresh, () => keepBack(fresh, () => (call = currentCall())))
  await setImmediate()
  expect(call).toBe(fresh)
})

describe('a call that is kept back', () => {
  it('is entered in a turn of its own', async () => {
    const { answer } = await loadFixture(artifactOf('() => ({ n: 1 })'))
    beginRest()
    expect(await answer()).toEqual({ status: 200, body: { n: 1 } })
  })

  it('answers at its deadline, which is not the fault of its function', async () => {
    const { invoke } = await loadFixture(artifactOf('() => ({ n: 1 })'), {
      settings: { timeoutMs: 20 },
    })
    beginRest()
    expect(await invoke()).toMatchObject({
      status: 504,
      errorCode: 'FUNCTION_TIMEOUT',
      functionFault: false,
    })
  })

  it('is not entered when its release has run away meanwhile', async () => {
    const { invoke, revision } = await loadFixture(artifactOf('() => ({ n: 1 })'))
    beginRest()
    const kept = invoke()
    condemn(revision.id, null)
    expect(await kept).toMatchObject({ status: 503, errorCode: 'FUNCTION_STOPPED' })
    expect(revision.inFlight).toBe(0)
  })
})

it('keeps the parts of a stream back, whoever reads it', async () => {
  const { invoke } = await loadFixture(
    artifactOf(`() => new Response(new ReadableStream({
      pull: (out) => { out.enqueue(new Uint8Array(9)); if (++chunks === 9) out.close() },
    }))`).replace('var ', 'let chunks = 0; var '),
  )
  const outcome = await invoke()
  beginRest()
  await textOf(outcome)
  // It is over with the turn that one of them has waited for.
  expect(isResting()).toBe(false)
})

it('begins also when the guard of a first call has ended it', async () => {
  const record = {
    isProven: false,
    isWatched: false,
    begins: () => undefined,
    ends: () => undefined,
    graduates: () => undefined,
  }
  const { invoke } = await loadFixture(artifactOf('() => { for (;;) {} }'), {
    probation: { calls: 9, guardMs: 100, record },
  })
  expect(isResting()).toBe(false)
  const ended = invoke()
  await setImmediate()
  expect(isResting()).toBe(true)
  await restOver(trusted)
  expect(isResting()).toBe(false)
  await ended
})
