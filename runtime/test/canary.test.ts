import { describe, expect, it } from 'vitest'
import { defaultAnalysisLimits } from '../src/manifest/analysis-limits.ts'
import { chooseSide } from '../src/rollout/choose-side.ts'
import { call } from './support/call.ts'
import { readReport } from './support/read-report.ts'
import { get, post, startRollout, withCanary } from './support/start-rollout.ts'

const works = 'async () => ({ from: "stable" })'
const alsoWorks = 'async () => ({ from: "canary" })'
const fails = 'async () => { throw new Error("canary") }'
/** A streaming answer; with a text, one that breaks off with it after its second chunk. */
const streams = (failure?: string) => `async () => {
  let chunks = 0
  return new Response(new ReadableStream({
    pull: async (controller) => {
      await new Promise((resolve) => setTimeout(resolve, 1))
      chunks += 1
      if (chunks < 3) controller.enqueue(new Uint8Array([65]))
      else if (${failure === undefined}) controller.close()
      else controller.error(new Error('${failure}'))
    },
  }))
}`
describe('a canary that does worse than stable', () => {
  it('is stopped where it fails, and stable serves everybody again', async () => {
    const { callMany, card, events, canary } = await startRollout(
      { stable: works, canary: fails },
      post,
    )
    const answers = await callMany(400, 'POST')
    const failed = answers.filter(({ status }) => status === 500)
    expect(failed.length).toBeGreaterThan(2)
    expect(failed.length).toBeLessThanOrEqual(20)
    expect(answers.slice(-200).every(({ status }) => status === 200)).toBe(true)
    expect(card()).toMatchObject({
      canary: null,
      rollout: {
        canary: canary.release,
        trip: { cause: 'errors', canary: { faults: failed.length, calls: failed.length } },
      },
    })
    expect(events).toContainEqual(
      expect.objectContaining({ type: 'canaryTripped', function: 'shop/card' }),
    )
    await expect
      .poll(() => card()?.refusals)
      .toMatchObject([{ side: 'canary', code: 'CANARY_TRIPPED', release: canary.release }])
  })

  it('is stopped when its answers break off after their head, too', async () => {
    const { callMany, card } = await startRollout(
      { stable: streams(), canary: streams('broken') },
      get,
    )
    await callMany(200)
    expect(card()).toMatchObject({ canary: null, rollout: { trip: { cause: 'errors' } } })
  })

  it('is worse by the limits of its policy', async () => {
    const failsSometimes = `async ({ }, { request }) => {
      if (request.headers['x-needle-key'].endsWith('0')) throw new Error('now and then')
    }`
    for (const [errorRise, cause] of [
      [0.01, 'errors'],
      [0.4, undefined],
    ] as const) {
      const on = await startRollout({ stable: works, canary: failsSometimes }, post)
      const analysis = { ...defaultAnalysisLimits, errorRise }
      const state = withCanary(on.stable, on.canary, { weightPercent: 50, analysis })
      await on.bucket.publish({ card: state })
      await on.runtime.refresh()
      await on.callMany(600, 'POST')
      expect(on.card()?.rollout?.trip?.cause).toBe(cause)
    }
  })

  it('is told to the fleet with what was measured', async () => {
    const { bucket, callMany, canary } = await startRollout({ stable: works, canary: fails }, post)
    await callMany(200, 'POST')
    await expect
      .poll(async () => (await readReport(bucket.store, 'bff-1'))?.functions['shop/card']?.rollout)
      .toMatchObject({ canary: canary.release, salt: 'salt-salt', trip: { cause: 'errors' } })
  })

  it('costs no user of an idempotent function anything', async () => {
    const { callMany, card } = await startRollout({ stable: works, canary: fails }, get)
    const answers = await callMany(300)
    expect(answers.every(({ status }) => status === 200)).toBe(true)
    const replaced = answers.filter(({ fallback }) => fallback !== undefined)
    expect(replaced.length).toBeGreaterThan(2)
    expect(replaced[0]?.fallback).toMatch(/^shop\/card@/)
    expect(card()?.rollout?.trip).toMatchObject({ canary: { faults: replaced.length } })
  })

  it('leaves stable its time when it hangs', async () => {
    const hangs = 'async () => new Promise(() => {})'
    const { callMany } = await startRollout(
      { stable: works, canary: hangs },
      { ...get, timeoutMs: 200 },
    )
    const answers = await callMany(60)
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200))
    expect(answers.some(({ fallback }) => fallback !== undefined)).toBe(true)
  })

  it('is tried again by another rollout', async () => {
    const { bucket, stable, canary, runtime, callMany, card } = await startRollout(
      { stable: works, canary: fails },
      post,
    )
    await callMany(200, 'POST')
    expect(card()?.canary).toBeNull()
    await bucket.publish({ card: withCanary(stable, canary, { salt: 'another-salt' }) })
    await runtime.refresh()
    expect(card()?.canary).toMatch(/^shop\/card@/)
    expect(card()?.rollout).toBeNull()
  })

  it('stays stopped while its weight grows', async () => {
    const { bucket, stable, canary, runtime, callMany, card } = await startRollout(
      { stable: works, canary: fails },
      post,
    )
    await callMany(200, 'POST')
    await bucket.publish({ card: withCanary(stable, canary, { weightPercent: 50 }) })
    await runtime.refresh()
    expect(card()?.canary).toBeNull()
    const answers = await callMany(100, 'POST')
    expect(answers.every(({ status }) => status === 200)).toBe(true)
  })
})

describe('a canary that is no worse', () => {
  it('is not charged with requests that fail on stable too, whoever sends them', async () => {
    const failsForSome =
      'async ({ bad }) => { if (bad !== undefined) throw new Error("bad"); return {} }'
    const { runtime, card } = await startRollout(
      { stable: failsForSome, canary: `(${failsForSome})` },
      get,
    )
    for (let user = 0; user < 400; user++) {
      const key = `user-${user}`
      const side = chooseSide({ salt: 'salt-salt', key, weightPercent: 20 })
      // As it may happen: all who send what no revision can answer meet the canary.
      const url = side === 'canary' ? '/shop/card?bad=1' : '/shop/card'
      const { status } = await call(runtime, url, { headers: { 'x-needle-key': key } })
      expect(status).toBe(side === 'canary' ? 500 : 200)
    }
    expect(card()?.rollout?.trip).toBeNull()
  })

  it('goes on', async () => {
    const { callMany, card } = await startRollout({ stable: works, canary: alsoWorks }, post)
    await callMany(300, 'POST')
    expect(card()?.rollout).toMatchObject({ trip: null, measured: { canary: { faults: 0 } } })
    expect(card()?.rollout?.measured.canary.calls).toBeGreaterThan(30)
  })

  it.each([['POST', post] as const, ['GET', get] as const])(
    'goes on through an outage that stable meets too (%s)',
    async (method, settings) => {
      const { callMany, card } = await startRollout({ stable: fails, canary: fails }, settings)
      const answers = await callMany(300, method)
      expect(answers.every(({ status }) => status === 500)).toBe(true)
      expect(card()?.rollout?.trip).toBeNull()
      expect(card()?.canary).toMatch(/^shop\/card@/)
    },
  )
})
