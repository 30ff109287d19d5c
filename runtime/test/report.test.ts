import { expect, it } from 'vitest'
import { parseJson } from '../src/manifest/document.ts'
import { instanceReportSchema } from '../src/manifest/instance-report.ts'
import { createRuntime } from '../src/runtime.ts'
import { createTestEnvironment, silentLog } from './support/test-environment.ts'

it('tells the store at once what it runs, and what it refused', async () => {
  const bucket = await createTestEnvironment()
  const card = await bucket.release('shop/card', 'async () => 1')
  await bucket.publish({ card })
  const runtime = createRuntime({
    source: { store: bucket.store },
    groups: ['shop'],
    trust: bucket.trust.rootBytes,
    log: silentLog,
    instance: 'bff-1',
  })
  const report = async () => {
    const key = 'environments/production/instances/bff-1.json'
    const found = await bucket.store.get(key, { maxBytes: 10_000 })
    if (found.status !== 'found') return null
    return instanceReportSchema.parse(parseJson(found.bytes, { name: 'report' }, key))
  }
  await runtime.start()
  await expect.poll(async () => (await report())?.state).toBe('ready')
  expect(await report()).toMatchObject({
    manifest: { version: 1 },
    refusal: null,
    functions: { 'shop/card': { stable: card.release, manifestVersion: 1, refusals: [] } },
  })

  const bad = await bucket.release('shop/card', '', { script: 'throw new Error("poison")' })
  await bucket.publish({ card: bad })
  await runtime.refresh()
  await expect
    .poll(async () => (await report())?.functions['shop/card']?.refusals)
    .toMatchObject([{ code: 'FUNCTION_THROWS_AT_LOAD' }])
  await runtime.close()
})
