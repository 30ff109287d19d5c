import type { FastifyInstance } from 'fastify'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import {
  answerOf,
  createLiveEnvironment,
  type LiveEnvironment,
} from '../bad-input/live-environment.ts'

// Builds and Git processes, and a report every ten seconds: half a minute on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

/** As every repository of the tests has it, and a policy that is done with ten calls of known users. */
const config = `import { defineConfig } from '@needle-faas/pipeline'

export default defineConfig({
  environments: {
    production: { store: 'file:.needle/store', trust: '.needle/trust-root.json', services: [] },
  },
  policies: {
    shop: {
      rollout: {
        steps: [{ weightPercent: 50, bakeMs: 0 }],
        analysis: { minimumCalls: 10 },
        stickyKey: { httpHeaderName: 'X-User-Id' },
      },
    },
  },
})
`

const broken = `import { defineFunction } from '@needle-faas/runtime/function'

export default defineFunction({
  http: { method: 'GET', path: '/shop/card' },
  handler: async () => { throw new Error('no card') },
})
`

let on: LiveEnvironment
let bff: FastifyInstance
beforeAll(async () => {
  on = await createLiveEnvironment()
  bff = await on.startBff({}, { report: true })
})
afterAll(async () => {
  await bff.close()
  await on[Symbol.asyncDispose]()
})

let requests = 0

/** What so many users get, one after another, always the same users. */
async function ask(count: number): Promise<{ status: number; body: unknown }[]> {
  const answers = []
  for (let user = 0; user < count; user++) {
    // By what no policy names, each request would be somebody else's.
    const headers = { 'x-user-id': `user-${user}`, 'x-needle-key': `r-${(requests += 1)}` }
    const response = await bff.inject({ url: '/shop/card', headers })
    answers.push({ status: response.statusCode, body: response.json() })
  }
  return answers
}

async function deploy(): Promise<void> {
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

const rollout = (): ReturnType<LiveEnvironment['needle']> => on.needle(['rollout'])

test('a policy in Git, a real BFF and needle rollout: a bad canary ends by itself, a good one gets everywhere', async () => {
  await on.repository.commit(
    { 'functions/needle.config.ts': config, 'functions/shop/card/index.ts': broken },
    'Break the card',
  )
  await deploy()
  const answers = await ask(120)
  // GET: stable answers for a canary that fails, so that no user notices.
  expect(answers.every(({ body }) => JSON.stringify(body) === JSON.stringify(answerOf(2)))).toBe(
    true,
  )
  await vi.waitFor(
    async () => expect((await rollout()).stdout).toContain('shop/card  abort  failed'),
    {
      timeout: 20_000,
      interval: 500,
    },
  )
  await bff.needle.refresh()
  const status = await on.needle(['status'])
  expect(status.stdout).toMatch(/held by needle rollout: canary \w+ was stopped by .* calls failed/)
  expect(status.stdout).toContain('quarantined: shop/card')
  expect(bff.needle.status().functions[0]).toMatchObject({ canary: null, rollout: null })

  await on.commitCard(5)
  await deploy()
  const served = await ask(60)
  // flagger#1532, istio#19630: whom the policy in Git knows stays on either side.
  expect(await ask(60)).toEqual(served)
  const seen = served.map(({ body }) => JSON.stringify(body))
  expect(new Set(seen)).toEqual(
    new Set([answerOf(2), answerOf(5)].map((each) => JSON.stringify(each))),
  )
  await vi.waitFor(
    async () => expect((await rollout()).stdout).toContain('shop/card  promote  successful'),
    {
      timeout: 30_000,
      interval: 1_000,
    },
  )
  await bff.needle.refresh()
  expect((await ask(1))[0]).toEqual({ status: 200, body: answerOf(5) })
  const history = await on.needle(['history', '--limit', '1'])
  expect(history.stdout).toMatch(
    /needle rollout: shop\/card: canary \w+ passed 50 % with \d+ calls/,
  )
})
