import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { answerOf, cardThat } from '../bad-input/live-environment.ts'
import { type LiveRollouts, policyDoneWith, startLiveRollouts } from './live-rollouts.ts'

// Builds and Git processes, and a report every ten seconds: half a minute on a busy machine.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 })

const probed = "probes: [{ query: { currency: 'EUR' } }],"

let live: LiveRollouts
beforeAll(async () => {
  live = await startLiveRollouts({ probeIntervalMs: 20 })
})
afterAll(() => live[Symbol.asyncDispose]())

test('a stable that is bad for everyone: no user notices, its instance goes back, and so does the fleet', async () => {
  const { on, bff, deploy, decides } = live
  await on.repository.commit(cardThat("throw new Error('no card for anybody')", probed))
  await deploy()
  for (let made = 0; made < 20; made++) {
    const answer = await bff.inject('/shop/card')
    expect({ status: answer.statusCode, body: answer.json() }).toEqual({
      status: 200,
      body: answerOf(2),
    })
  }
  expect(bff.needle.status().functions[0]?.stableTrip).not.toBeNull()
  await decides('shop/card  rollback  failed')
  expect(bff.needle.status().functions[0]).toMatchObject({ stableTrip: null, refusals: [] })
  expect((await bff.inject('/shop/card')).json()).toEqual(answerOf(2))
})

test('a function nobody calls: its bad canary ends, its good one gets to everyone, by their probes (flagger#1353, argo-rollouts#3850)', async () => {
  const { on, bff, deploy, decides } = live
  const bad = cardThat("throw new Error('no card')", probed)
  await on.repository.commit({ ...policyDoneWith(30), ...bad })
  await deploy()
  await decides('shop/card  abort  failed')
  const status = await on.needle(['status'])
  expect(status.stdout).toMatch(/(\d+) of \1 probes failed, of stable 0 of \1/)

  await on.repository.commit(cardThat('return { card: 5 }', probed))
  await deploy()
  await decides('shop/card  promote  successful')
  expect((await bff.inject('/shop/card')).json()).toEqual({ card: 5 })
})
