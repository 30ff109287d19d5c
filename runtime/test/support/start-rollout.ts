import type { RuntimeEvent } from '../../src/index.ts'
import { fallbackHeader } from '../../src/fallback-call.ts'
import type { ReleaseRef } from '../../src/manifest/group-document.ts'
import type { Settings } from '../../src/manifest/settings.ts'
import { testFunctionState, testRollout } from '../../src/manifest/testing/test-documents.ts'
import { call } from './call.ts'
import type { QuietOptions } from './quiet-options.ts'
import { startRuntime } from './start-runtime.ts'
import { createTestEnvironment } from './test-environment.ts'

/** What one call of many came to. */
export interface RolloutAnswer {
  readonly status: number
  readonly body: unknown
  /** Id of the revision that failed, when another one answered in its stead. */
  readonly fallback: unknown
}

/** Settings of a function that may be called twice, */
export const get: Partial<Settings> = { idempotent: true }
/** and of one that may not. */
export const post: Partial<Settings> = {
  http: { method: 'POST', path: '/shop/card' },
  idempotent: false,
}

/** A function that serves `stable` beside a canary. */
export const withCanary = (stable: ReleaseRef, canary: ReleaseRef, rollout = {}) =>
  testFunctionState(stable, { rollout: testRollout(canary, rollout) })

/**
 * A runtime that serves `shop/card` in a rollout at 20 %, by the source texts of two handlers;
 * `settings` are of both, unless `canarySettings` say otherwise. It reports as instance `bff-1`.
 */
export async function startRollout(
  sources: { readonly stable: string; readonly canary: string },
  settings: Partial<Settings> = {},
  { canarySettings, ...options }: QuietOptions & { canarySettings?: Partial<Settings> } = {},
) {
  const bucket = await createTestEnvironment()
  const stable = await bucket.release('shop/card', sources.stable, { settings })
  const canary = await bucket.release('shop/card', sources.canary, {
    settings: { ...settings, ...canarySettings },
  })
  await bucket.publish({ card: withCanary(stable, canary) })
  const events: RuntimeEvent[] = []
  const runtime = await startRuntime(bucket, {
    report: true,
    instance: 'bff-1',
    probationCalls: 0,
    onEvent: (event) => events.push(event),
    ...options,
  })
  let calls = 0
  /** One after another: what the breaker says of one decides who answers the next. */
  const callMany = async (count: number, method = 'GET'): Promise<readonly RolloutAnswer[]> => {
    const answers: RolloutAnswer[] = []
    for (let made = 0; made < count; made++) {
      const headers = { 'x-needle-key': `user-${(calls += 1)}` }
      const answer = await call(runtime, '/shop/card', { method, headers })
      const { status, body } = answer
      answers.push({ status, body, fallback: answer.headers[fallbackHeader] })
    }
    return answers
  }
  const card = () => runtime.status().functions.find((each) => each.function === 'shop/card')
  return { bucket, stable, canary, runtime, events, callMany, card }
}
