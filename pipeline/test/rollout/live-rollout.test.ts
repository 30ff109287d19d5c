import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { answerOf, cardThat } from '../bad-input/live-environment.ts'
import { type LiveRollouts, policyDoneWith, startLiveRollouts } from './live-rollouts.ts'

// Builds and Git processes, and a report every ten seconds: half a minute on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

let live: LiveRollouts
beforeAll(async () => {
  live = await startLiveRollouts()
})
afterAll(() => live[Symbol.asyncDispose]())

let requests = 0

/** What so many users get, one after another, always the same users: status and body. */
async function ask(count: number): Promise<string[]> {
  const answers: string[] = []
  for (let user = 0; user < count; user++) {
    // By what no policy names, each request would be somebody else's.
    const headers = { 'x-user-id': `user-${user}`, 'x-needle-key': `r-${(requests += 1)}` }
    const { statusCode, body } = await live.bff.inject({ url: '/shop/card', headers })
    answers.push(`${statusCode} ${body}`)
  }
  return answers
}

const answered = (n: number): string => `200 ${JSON.stringify(answerOf(n))}`

test('a policy in Git, a real BFF and needle rollout: a bad canary ends by itself, a good one gets everywhere', async () => {
  const { on, bff, deploy, decides } = live
  const policy = policyDoneWith(10, { stickyKey: { httpHeaderName: 'X-User-Id' } })
  await on.repository.commit({ ...policy, ...cardThat("throw new Error('no card')") })
  await deploy()
  // GET: stable answers for a canary that fails, so that no user notices.
  expect(new Set(await ask(120))).toEqual(new Set([answered(2)]))
  await decides('shop/card  abort  failed')
  const status = await on.needle(['status'])
  expect(status.stdout).toMatch(/held by needle rollout: canary \w+ was stopped by .* calls failed/)
  expect(status.stdout).toContain('quarantined: shop/card')
  expect(bff.needle.status().functions[0]).toMatchObject({ canary: null, rollout: null })

  await on.commitCard(5)
  await deploy()
  const served = await ask(60)
  // flagger#1532, istio#19630: whom the policy in Git knows stays on either side.
  expect(await ask(60)).toEqual(served)
  expect(new Set(served)).toEqual(new Set([answered(2), answered(5)]))
  await decides('shop/card  promote  successful')
  expect(await ask(1)).toEqual([answered(5)])
  const history = await on.needle(['history', '--limit', '1'])
  expect(history.stdout).toMatch(
    /needle rollout: shop\/card: canary \w+ passed 50 % with \d+ calls/,
  )
})
