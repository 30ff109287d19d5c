import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { createOperatedEnvironment, type OperatedEnvironment } from './operated-environment.ts'

// Who agreed to a step decided as much as who merged: both are asked for when it went wrong.

const canarySteps = [
  { weightPercent: 20, bakeMs: 0 },
  { weightPercent: 50, bakeMs: 0, approval: true },
]
const approved = 'step 2 of 2, 50 %, approved'
const signed = { version: 3, actor: 'Bo', reason: 'looks good' }

const entriesSchema = z.array(z.looseObject({ version: z.number() }))
const functionSchema = z.object({
  state: z.object({ rollout: z.object({ canary: z.object({ release: z.string() }) }) }),
  history: entriesSchema,
})

let on: OperatedEnvironment
beforeAll(async () => {
  on = await createOperatedEnvironment()
  await on.publish({ 'shop/card': 'card 1', 'shop/quote': 'quote 1' }) // 1
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote 1' }, { canarySteps }) // 2
  await on.needle(['approve', 'shop/card', '--reason', 'looks good', ...on.operator]) // 3
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote 2' }) // 4
})
afterAll(() => on[Symbol.asyncDispose]())

async function read(...args: string[]): Promise<unknown> {
  return (await on.needle([...args, ...on.location, '--json'])).json()
}

test.each([
  ['of all', []],
  ['of the function', ['shop/card']],
])('the history %s tells that a step was approved, by whom and why', async (_, asked) => {
  const entries = entriesSchema.parse(await read('history', ...asked))
  const text = expect.stringMatching(new RegExp(`^canary [0-9a-f]{12}: ${approved}$`))
  expect(entries.find(({ version }) => version === 3)).toMatchObject({
    ...signed,
    changes: [{ function: 'shop/card', text }],
  })
})

test('a trace of the function, the canary or the manifest tells it, once', async () => {
  const { state, history } = functionSchema.parse(await read('trace', 'shop/card'))
  expect(history.map(({ version }) => version)).toEqual([3, 2, 1])
  const release = z
    .object({ history: entriesSchema })
    .parse(await read('trace', state.rollout.canary.release))
  expect(release.history).toMatchObject([
    { ...signed, events: [{ kind: 'step-approved', text: `${approved} by Bo` }] },
    { version: 2, events: [{ kind: 'canary-started' }] },
  ])
  const { stdout } = await on.needle(['trace', '3', ...on.location])
  expect(stdout).toMatch(new RegExp(`by Bo: looks good[^]*shop/card .*${approved}`))
})
