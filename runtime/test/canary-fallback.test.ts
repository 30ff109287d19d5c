import { expect, it } from 'vitest'
import { get, post, startRollout } from './support/start-rollout.ts'

/** Says that it was called where the test can see it. */
const works = `async (input, { services }) => {
  services.seen.push('stable')
  return {}
}`
const fails = `async (input, { services }) => {
  services.seen.push('canary')
  throw new Error('canary')
}`
/** Its second chunk is followed by a failure. */
const breaksOff = `async (input, { services }) => {
  services.seen.push('canary')
  let chunks = 0
  return new Response(new ReadableStream({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      chunks += 1
      if (chunks < 3) controller.enqueue(new Uint8Array([65]))
      else controller.error(new Error('broken'))
    },
  }))
}`

/** A rollout that tells which revisions were called, in order. */
async function startSeeing(canary: string, settings: { stable: object; canary: object }) {
  const seen: string[] = []
  const services: object = { seen: { push: (by: string) => void seen.push(by) } }
  const started = await startRollout(
    { stable: works, canary },
    { uses: ['seen'], ...settings.stable },
    { services, canarySettings: settings.canary },
  )
  return { ...started, seen }
}

it('stable answers for a canary that fails when both may be called twice', async () => {
  const { callMany, seen } = await startSeeing(fails, { stable: get, canary: get })
  const answers = await callMany(20)
  expect(answers.filter(({ fallback }) => fallback !== undefined)).not.toHaveLength(0)
  expect(seen.filter((by) => by === 'stable')).toHaveLength(answers.length)
})

it.each([
  ['neither', false, false],
  ['only stable', true, false],
  ['only the canary', false, true],
])('nobody answers for it when %s may be called twice', async (_who, ofStable, ofCanary) => {
  const { callMany, seen, card } = await startSeeing(fails, {
    stable: { ...post, idempotent: ofStable },
    canary: { ...post, idempotent: ofCanary },
  })
  const answers = await callMany(100, 'POST')
  const failed = answers.filter(({ status }) => status === 500)
  expect(failed.length).toBeGreaterThan(2)
  expect(answers.every(({ fallback }) => fallback === undefined)).toBe(true)
  // Each request was put to one of them, once.
  expect(seen).toEqual(answers.map(({ status }) => (status === 500 ? 'canary' : 'stable')))
  expect(card()?.rollout?.trip?.canary.faults).toBe(failed.length)
})

it('nobody answers again what a canary began to answer: the client gets the stream that broke', async () => {
  const { callMany, seen, card } = await startSeeing(breaksOff, { stable: get, canary: get })
  const answers = await callMany(100)
  const broken = answers.filter(({ body }) => body === null)
  expect(broken.length).toBeGreaterThan(2)
  expect(broken.every(({ status, fallback }) => status === 200 && fallback === undefined)).toBe(
    true,
  )
  expect(seen).toEqual(answers.map(({ body }) => (body === null ? 'canary' : 'stable')))
  // None was excused, although stable could have answered.
  expect(card()?.rollout?.trip).toMatchObject({
    cause: 'errors',
    canary: { calls: broken.length, faults: broken.length },
  })
})
