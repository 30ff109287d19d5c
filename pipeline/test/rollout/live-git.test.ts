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
      rollout: { steps: [{ weightPercent: 50, bakeMs: 0 }], analysis: { minimumCalls: 10 } },
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
  await on.repository.commit({ 'functions/needle.config.ts': config }, 'Go step by step')
  await on.commitCard(2)
  bff = await on.startBff({}, { report: true })
})
afterAll(async () => {
  await bff.close()
  await on[Symbol.asyncDispose]()
})

/** What the deploy workflow does with the newest commit; resolves to what `publish` says. */
async function deploy(): Promise<string> {
  const build = await on.needle(
    ['build', '--environment', 'production', '--out', '.needle/build'],
    { NEEDLE_RELEASE_KEY: '' },
  )
  const publish = await on.needle(['publish', '--build', '.needle/build'])
  if (build.exitCode + publish.exitCode !== 0) throw new Error(build.stderr + publish.stderr)
  await bff.needle.refresh()
  return publish.stdout
}

const said = async (command: string): Promise<string> => (await on.needle([command])).stdout

/** Enough users for both sides; the answers they got, each once. */
async function ask(): Promise<ReadonlySet<string>> {
  const answers = new Set<string>()
  for (let user = 0; user < 60; user++) {
    const headers = { 'x-needle-key': `user-${user}` }
    answers.add((await bff.inject({ url: '/shop/card', headers })).body)
  }
  return answers
}

// argo-cd#9570, flagger#682, argo-rollouts#1153: after an automatic rollback Git goes on saying the
// bad version, and nothing says so. The revert is still a person's to make here. Until it is merged
// the difference is signed, told and stays as it is, and merging it is all that has to be done.
test('what was aborted by itself is a visible hold until Git is reverted (argo-cd#9570, flagger#682, argo-rollouts#1153)', async () => {
  await deploy()
  const bad = await on.repository.commit({ 'functions/shop/card/index.ts': broken }, 'Break it')
  await deploy()
  await ask()
  await vi.waitFor(
    async () => expect(await said('rollout')).toContain('shop/card  abort  failed'),
    {
      timeout: 20_000,
      interval: 500,
    },
  )

  const stable = new Set([JSON.stringify(answerOf(2))])
  const isHeld = /held by needle rollout: canary \w+ was stopped by .* calls failed/
  expect(await said('status')).toMatch(isHeld)
  const alarm =
    /ROLLOUT_ABORTED[\s\S]*needle rollout aborted the canary[\s\S]*Merge the revert or a fix/
  expect(await said('alarms')).toMatch(alarm)

  // Git still says it, through every merge that is about something else.
  await on.repository.commit({ 'functions/shop/card/README.md': '# Card\n' }, 'Say what it is')
  expect(await deploy()).toMatch(/shop\/card.*held at \w+ by needle rollout since .*calls failed/)
  expect(await ask()).toEqual(stable)
  expect(await said('status')).toMatch(isHeld)
  expect(await said('alarms')).toMatch(alarm)

  await on.repository.git.raw(['revert', '--no-edit', bad])
  await deploy()
  expect(await said('status')).not.toContain('held by')
  expect(bff.needle.status().functions[0]).toMatchObject({ rollout: null, refusals: [] })
  expect(await ask()).toEqual(stable)
  expect(await said('alarms')).toMatch(/RESOLVED .*ROLLOUT_ABORTED[\s\S]*No alarm in production/)
})
