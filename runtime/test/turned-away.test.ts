import { describe, expect, it } from 'vitest'
import { testFunctionState, testStop } from '../src/manifest/testing/test-documents.ts'
import type { Runtime } from '../src/runtime.ts'
import type { ArtifactStore } from '../src/store/artifact-store.ts'
import { call } from './support/call.ts'
import { writtenLines } from './support/metric-lines.ts'
import { startHost } from './support/start-host.ts'
import { startRuntime } from './support/start-runtime.ts'
import { createTestEnvironment } from './support/test-environment.ts'

const card = 'async () => 1'

/** As a store that does not answer where code is asked for. */
const neverGivingArtifacts = (store: ArtifactStore): ArtifactStore => ({
  ...store,
  get: (key, options) =>
    key.startsWith('artifacts/') ? new Promise(() => {}) : store.get(key, options),
})

/** Codes of the calls that were turned away, with how many there were. */
function turnedAway(runtime: Runtime): string[] {
  return [...writtenLines(runtime.metrics())].flatMap(([line, value]) => {
    const code = /^needle_calls_turned_away_total\{.*error_type="(.*)"\}$/.exec(line)?.[1]
    return code === undefined ? [] : [`${code} ${value}`]
  })
}

describe('a call that no revision is asked for', () => {
  it('is counted by its function and code', async () => {
    const bucket = await createTestEnvironment()
    const poison = await bucket.release('shop/poison', '', { script: 'throw new Error("poison")' })
    const still = await bucket.release('shop/still', 'async () => 1')
    await bucket.publish({ poison, still: testFunctionState(still, { hold: testStop }) })
    const runtime = await startRuntime(bucket, { loadAhead: 0 })
    await call(runtime, '/shop/poison')
    await call(runtime, '/shop/still')
    await call(runtime, '/shop/still')
    await call(runtime, '/shop/nobody')
    expect(turnedAway(runtime)).toEqual(['FUNCTION_QUARANTINED 1', 'FUNCTION_STOPPED 2'])
  })

  it('is counted when it comes to more than may wait for a function to be loaded, or too long', async () => {
    const bucket = await createTestEnvironment()
    const release = await bucket.release('shop/card', card, {
      settings: { maxConcurrency: 1, timeoutMs: 50 },
    })
    await bucket.publish({ card: release })
    const store = neverGivingArtifacts(bucket.store)
    const runtime = await startRuntime(bucket, { source: { store }, loadAhead: 0 })
    await Promise.all([call(runtime), call(runtime)])
    expect(turnedAway(runtime)).toEqual(['FUNCTION_LOADING 2'])
    expect(runtime.metrics()).not.toContain('faas_coldstarts_total')
  })

  it('is counted when the runtime is closed before the function is loaded', async () => {
    const bucket = await createTestEnvironment()
    await bucket.publish({ card })
    const store = neverGivingArtifacts(bucket.store)
    const runtime = await startRuntime(bucket, { source: { store }, loadAhead: 0 })
    const answer = call(runtime)
    await runtime.close()
    expect(await answer).toMatchObject({ errorCode: 'NOT_READY' })
    expect(turnedAway(runtime)).toEqual(['NOT_READY 1'])
  })

  it('is counted when its body is larger than the function takes', async () => {
    const bucket = await createTestEnvironment()
    const settings = { http: { method: 'POST', path: '/shop/card' } as const, maxBodyBytes: 10 }
    await bucket.publish({ card: await bucket.release('shop/card', card, { settings }) })
    const app = await startHost(bucket)
    const payload = { text: 'longer than ten bytes' }
    const answer = await app.inject({ method: 'POST', url: '/bff/shop/card', payload })
    expect(answer.json()).toMatchObject({ error: { code: 'BODY_TOO_LARGE' } })
    expect(app.needle.metrics()).toContain(
      'needle_calls_turned_away_total{faas_name="shop/card",error_type="BODY_TOO_LARGE"} 1\n',
    )
  })
})
