import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { answerOf, cardThat } from '../bad-input/live-environment.ts'
import { type LiveRollouts, policyDoneWith, startLiveRollouts } from './live-rollouts.ts'

// Builds and Git processes, and a report every ten seconds: half a minute on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let live: LiveRollouts
beforeAll(async () => {
  live = await startLiveRollouts()
  await live.on.repository.commit(policyDoneWith(10), 'Go step by step')
  await live.on.commitCard(2)
})
afterAll(() => live[Symbol.asyncDispose]())

const said = async (command: string): Promise<string> => (await live.on.needle([command])).stdout

/** Enough users for both sides; the answers they got, each once. */
async function ask(): Promise<ReadonlySet<string>> {
  const answers = new Set<string>()
  for (let user = 0; user < 60; user++) {
    const headers = { 'x-needle-key': `user-${user}` }
    answers.add((await live.bff.inject({ url: '/shop/card', headers })).body)
  }
  return answers
}

// argo-cd#9570, flagger#682, argo-rollouts#1153: after an automatic rollback Git goes on saying the
// bad version, and nothing says so. The revert is still a person's to make here. Until it is merged
// the difference is signed, told and stays as it is, and merging it is all that has to be done.
test('what was aborted by itself is a visible hold until Git is reverted (argo-cd#9570, flagger#682, argo-rollouts#1153)', async () => {
  const { on, bff, deploy, decides } = live
  await deploy()
  const bad = await on.repository.commit(cardThat("throw new Error('no card')"), 'Break it')
  await deploy()
  await ask()
  await decides('shop/card  abort  failed')

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
