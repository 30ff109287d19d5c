import { describe, expect, it } from 'vitest'
import type { Settings } from '../src/manifest/settings.ts'
import { letTimeLeap } from './support/leaping-time.ts'
import { get, post, startRollout } from './support/start-rollout.ts'

const works = 'async () => ({})'
const hangs = 'async () => new Promise(() => undefined)'
/** Answers well, after so long by the time that leaps. */
const takes = (ms: number) => `async (input, { services }) => {
  services.time.leap(${ms})
  return {}
}`

/** A rollout of handlers that take so long. */
async function startTaking(
  durationsMs: { readonly stable: number; readonly canary: number },
  settings: Partial<Settings>,
) {
  const leap = letTimeLeap()
  const services: object = { time: { leap: (ms: number) => leap(ms) } }
  return startRollout(
    { stable: takes(durationsMs.stable), canary: takes(durationsMs.canary) },
    { uses: ['time'], ...settings },
    // To the guard of the event loop a leap is a stall.
    { services, maxLoopDelayMs: false },
  )
}

describe('a canary that takes longer than stable', () => {
  it('is stopped for its latency when it takes twice as long', async () => {
    const { callMany, card } = await startTaking({ stable: 400, canary: 800 }, post)
    await callMany(2000, 'POST')
    const { rollout, canary } = card() ?? {}
    expect(canary).toBeNull()
    expect(rollout?.trip).toMatchObject({ cause: 'latency', canary: { faults: 0 } })
    expect(rollout?.trip?.slowLimitMs).toBeGreaterThan(599)
    expect(rollout?.trip?.slowLimitMs).toBeLessThan(800)
  })

  it('goes on when it takes hardly longer', async () => {
    const { callMany, card } = await startTaking({ stable: 400, canary: 440 }, post)
    await callMany(2000, 'POST')
    expect(card()?.rollout).toMatchObject({ trip: null, measured: { canary: { slow: 0 } } })
  })

  it('has failed when it answers, but past the time that leaves stable its own', async () => {
    const { callMany, card } = await startTaking({ stable: 1, canary: 1800 }, get)
    const answers = await callMany(200)
    expect(answers.every(({ status, fallback }) => status === 200 && !fallback)).toBe(true)
    const { trip } = card()?.rollout ?? {}
    expect(trip).toMatchObject({ cause: 'errors', stable: { faults: 0 } })
    expect(trip?.canary.faults).toBe(trip?.canary.calls)
  })

  it('is no worse than a stable that takes more than the canary may', async () => {
    const { callMany, card } = await startTaking({ stable: 1800, canary: 1800 }, get)
    await callMany(400)
    const { trip, measured } = card()?.rollout ?? {}
    expect(trip).toBeNull()
    expect(measured?.stable.faults).toBe(measured?.stable.calls)
    expect(measured?.canary.faults).toBe(measured?.canary.calls)
  })
})

describe('a canary that never answers', () => {
  it.each([
    ['where its callers wait for it', 'POST', post, 504],
    ['where stable answers for it', 'GET', get, 200],
  ] as const)('is stopped within 20 calls of it (%s)', async (_where, method, settings, status) => {
    const { callMany, card } = await startRollout(
      { stable: works, canary: hangs },
      { ...settings, timeoutMs: 200 },
    )
    const answers = await callMany(150, method)
    const { rollout, canary } = card() ?? {}
    expect(canary).toBeNull()
    expect(rollout?.trip?.cause).toBe('errors')
    expect(rollout?.trip?.canary.calls).toBeLessThanOrEqual(20)
    expect(rollout?.trip?.canary.faults).toBe(rollout?.trip?.canary.calls)
    const met = answers.filter((answer) => answer.status !== 200 || answer.fallback !== undefined)
    expect(met).toHaveLength(rollout?.trip?.canary.calls ?? 0)
    expect(met.every((answer) => answer.status === status)).toBe(true)
  })
})
