import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  answerOf,
  createLiveEnvironment,
  type LiveEnvironment,
} from '../bad-input/live-environment.ts'

// Builds and Git processes, and a report every ten seconds: half a minute on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const config = `import { defineConfig } from '@needle-faas/pipeline'

export default defineConfig({
  environments: {
    production: { store: 'file:.needle/store', trust: '.needle/trust-root.json', services: [] },
  },
  policies: {
    shop: {
      rollout: { steps: [{ weightPercent: 50, bakeMs: 0 }], analysis: { minimumCalls: 30 } },
    },
  },
})
`

const cardThat = (
  does: string,
): string => `import { defineFunction } from '@needle-faas/runtime/function'

export default defineFunction({
  http: { method: 'GET', path: '/shop/card' },
  probes: [{ query: { currency: 'EUR' } }],
  handler: async () => { ${does} },
})
`

let on: LiveEnvironment
let bff: FastifyInstance
beforeAll(async () => {
  on = await createLiveEnvironment()
  bff = await on.startBff({}, { report: true, probeIntervalMs: 20 })
})
afterAll(async () => {
  await bff.close()
  await on[Symbol.asyncDispose]()
})

async function deploy(files: Readonly<Record<string, string>>, message: string): Promise<void> {
  await on.repository.commit(files, message)
  for (const args of [
    ['build', '--environment', 'production', '--out', '.needle/build'],
    ['publish', '--build', '.needle/build'],
  ]) {
    const env = args[0] === 'build' ? { NEEDLE_RELEASE_KEY: '' } : {}
    const { exitCode, stderr } = await on.needle(args, env)
    if (exitCode !== 0) throw new Error(stderr)
  }
  await bff.needle.refresh()
}

const decides = (decision: string): Promise<void> =>
  vi.waitFor(async () => expect((await on.needle(['rollout'])).stdout).toContain(decision), {
    timeout: 30_000,
    interval: 500,
  })

test('a stable that is bad for everyone: no user notices, its instance goes back, and so does the fleet', async () => {
  const worse = cardThat("throw new Error('no card for anybody')")
  await deploy({ 'functions/shop/card/index.ts': worse }, 'Break the card for everyone')
  for (let made = 0; made < 20; made++) {
    const answer = await bff.inject('/shop/card')
    expect({ status: answer.statusCode, body: answer.json() }).toEqual({
      status: 200,
      body: answerOf(2),
    })
  }
  expect(bff.needle.status().functions[0]?.stableTrip).not.toBeNull()
  await decides('shop/card  rollback  failed')
  await bff.needle.refresh()
  expect(bff.needle.status().functions[0]).toMatchObject({ stableTrip: null, refusals: [] })
  expect((await bff.inject('/shop/card')).json()).toEqual(answerOf(2))
})

// flagger#1353, argo-rollouts#3850: no traffic must mean neither failure nor success.
test('a function nobody calls: its bad canary ends, its good one gets to everyone, by their probes', async () => {
  const bad = cardThat("throw new Error('no card')")
  await deploy(
    { 'functions/needle.config.ts': config, 'functions/shop/card/index.ts': bad },
    'Break the card',
  )
  await decides('shop/card  abort  failed')
  const status = await on.needle(['status'])
  expect(status.stdout).toMatch(/(\d+) of \1 probes failed, of stable 0 of \1/)
  await bff.needle.refresh()

  await deploy({ 'functions/shop/card/index.ts': cardThat('return { card: 5 }') }, 'Mend the card')
  await decides('shop/card  promote  successful')
  await bff.needle.refresh()
  expect((await bff.inject('/shop/card')).json()).toEqual({ card: 5 })
})
