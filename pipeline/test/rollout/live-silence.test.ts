import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { cardThat } from '../bad-input/live-environment.ts'
import type { Files } from '../repository.ts'
import { policyDoneWith } from './live-rollouts.ts'
import { type BffProcess, createProcessFleet, type ProcessFleet } from './process-fleet.ts'

// Builds, processes, and a report every ten seconds: half a minute on a busy machine. They wait for
// most of that, each for a fleet of its own, and so do it together.
vi.setConfig({ testTimeout: 180_000 })

const minute = 60_000
/** For what comes within a poll or a report on an idle machine. */
const patience = { timeout: 60_000, interval: 500 }

const good = cardThat('return { card: 2 }')

/** Keeps ten megabytes for each item that was asked for: more than a few end the process. */
const leaking = {
  'functions/shop/card/index.ts': `import { defineFunction } from '@needle-faas/runtime/function'

export default defineFunction({
  http: { method: 'GET', path: '/shop/card' },
  handler: async ({ items }) => {
    const kept = []
    for (let item = 0; item < Number(items); item++) kept.push(new Array(1_250_000).fill(item))
    return { card: 2 }
  },
})
`,
}

const begin = (): Promise<ProcessFleet> =>
  createProcessFleet({ ...cardThat('return { card: 1 }'), ...policyDoneWith(10) })

/** Deploys a canary at half of the users, to instances that then all have said that they run it. */
async function deployTo(
  fleet: ProcessFleet,
  names: readonly string[],
  canary: Files,
): Promise<readonly BffProcess[]> {
  const bffs = await Promise.all(names.map((name) => fleet.start(name)))
  await fleet.deploy(canary)
  for (const name of names) {
    await fleet.reported(name, ({ canary: release }) => expect(release).not.toBeNull())
  }
  return bffs
}

/** So many users, each once, who ask for one item: enough for both sides. */
async function use(bff: BffProcess | undefined, users: number): Promise<ReadonlySet<string>> {
  const answers = new Set<string>()
  for (let user = 0; user < users; user++) {
    answers.add((await bff?.ask('items=1', `user-${user}`)) ?? 'no such BFF')
  }
  return answers
}

async function desired(fleet: ProcessFleet): Promise<string> {
  return /version \d+/.exec((await fleet.needle(['status'])).stdout)?.[0] ?? ''
}

const both = new Set(['200 {"card":1}', '200 {"card":2}'])

test.concurrent('a canary that ends the processes of most of those who run it is never taken for good, however long ago that was', async () => {
  await using fleet = await begin()
  const names = ['bff-1', 'bff-2', 'bff-3']
  const [one, ...others] = await deployTo(fleet, names, leaking)
  for (const bff of others) {
    const asked = Promise.allSettled(
      Array.from({ length: 20 }, (_, user) => bff.ask('items=1000', `user-${user}`)),
    )
    await vi.waitFor(() => expect(bff.child.signalCode).toBe('SIGABRT'), { timeout: 60_000 })
    await asked
    expect(await fleet.report(bff.instance)).toMatchObject({
      functions: { 'shop/card': { refusals: [] } },
    })
  }
  // All that the one which is left was asked for went well.
  expect(await use(one, 60)).toEqual(both)
  await fleet.reported('bff-1', (card) =>
    expect(card.rollout?.measured.canary.calls).toBeGreaterThan(10),
  )
  const version = await desired(fleet)

  // Nobody knows yet that they are dead; but only one of three has called it.
  const early = await fleet.needle(['rollout'])
  expect(early.stdout).toMatch(/hold {2}inconclusive .* by the word of bff-1 alone/)
  for (const ageMs of [4 * minute, 61 * minute, 7 * 24 * 60 * minute]) {
    await fleet.age('bff-2', ageMs)
    await fleet.age('bff-3', ageMs)
    const { exitCode, stdout } = await fleet.needle(['rollout'])
    expect(exitCode).toBe(3)
    expect(stdout).toMatch(
      /hold {2}error {2}.* 2 instances that ran it fell silent without stopping in order, 1 still reports\. Silent: bff-2 for \d+ \w+, bff-3 for \d+ \w+\..*needle abort shop\/card/,
    )
  }
  expect(await desired(fleet)).toBe(version)

  const aborted = await fleet.needle(['abort', 'shop/card', '--reason', 'it ends BFFs'])
  expect(aborted).toMatchObject({ exitCode: 0 })
  expect(await use(one, 60)).toEqual(new Set(['200 {"card":1}']))
  const after = await fleet.needle(['rollout'])
  expect(after).toMatchObject({
    exitCode: 0,
    stdout: expect.stringContaining('Nothing is on its way'),
  })
})

test.concurrent('half of the instances that hang hold a canary as well, and after its abort the next one gets to everyone', async () => {
  await using fleet = await begin()
  const [one, two] = await deployTo(fleet, ['bff-1', 'bff-2'], good)
  two?.child.kill('SIGSTOP')
  expect(await use(one, 60)).toEqual(both)
  await fleet.reported('bff-1', (card) =>
    expect(card.rollout?.measured.canary.calls).toBeGreaterThan(10),
  )
  const version = await desired(fleet)
  for (const ageMs of [4 * minute, 61 * minute]) {
    await fleet.age('bff-2', ageMs)
    const { exitCode, stdout } = await fleet.needle(['rollout'])
    expect(exitCode).toBe(3)
    expect(stdout).toMatch(
      /hold {2}error {2}.* 1 instance that ran it fell silent .*Silent: bff-2 for \d+ \w+\./,
    )
  }
  expect(await desired(fleet)).toBe(version)

  await fleet.needle(['abort', 'shop/card', '--reason', 'bff-2 hangs'])
  two?.child.kill('SIGCONT')
  await fleet.reported('bff-2', ({ canary }) => expect(canary).toBeNull())
  await fleet.deploy(cardThat('return { card: 3 }'))
  for (const bff of [one, two]) {
    await vi.waitFor(async () => expect(await use(bff, 60)).toHaveLength(2), patience)
    // The canary may have come in the middle of these.
    await use(bff, 60)
  }
  await vi.waitFor(
    async () => expect((await fleet.needle(['rollout'])).stdout).toContain('promote  successful'),
    patience,
  )
  for (const bff of [one, two]) {
    await vi.waitFor(
      async () => expect(await use(bff, 60)).toEqual(new Set(['200 {"card":3}'])),
      patience,
    )
  }
})

test.concurrent('an instance that stops in order, as one that autoscaling takes away does, is missed by nobody', async () => {
  await using fleet = await begin()
  const [one, two] = await deployTo(fleet, ['bff-1', 'bff-2'], good)
  if (two === undefined) throw new Error('no bff-2')
  const ended = once(two.child, 'exit')
  two.child.kill('SIGTERM')
  await ended
  expect(await fleet.report('bff-2')).toMatchObject({ stopped: true })
  await fleet.age('bff-2', 4 * minute)
  expect(await use(one, 60)).toEqual(both)
  await vi.waitFor(
    async () => expect((await fleet.needle(['rollout'])).stdout).toContain('promote  successful'),
    patience,
  )
})
