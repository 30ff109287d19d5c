import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { needle } from '@needle-faas/runtime/fastify'
import { instanceReportSchema, objectKey } from '@needle-faas/runtime/manifest'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startReceiver } from '../../src/alarms/testing/receiver.ts'
import {
  createDeployedProject,
  type DeployedProject,
  greeting,
  landed,
  logOf,
  scenarioMs,
  webhookSecret,
} from './deployed-project.ts'
import { completed, push, trigger, type WorkflowEvent } from './harness/event.ts'
import { git } from './harness/git.ts'
import { commit } from './harness/origin.ts'
import { project } from './project-origin.ts'

const functionName = 'shop/greeting'
const workflow = '.github/workflows/rollout.yml'

let on: DeployedProject
let bff: FastifyInstance

beforeAll(async () => {
  const examples = await git(project, 'ls-files', 'functions/shop')
  on = await createDeployedProject({
    ...Object.fromEntries(examples.split('\n').map((file) => [file, null])),
    ...greeting('hello'),
  })
  bff = Fastify()
  await bff.register(needle, {
    source: { store: `file:${on.store}`, pollIntervalMs: 200 },
    groups: ['shop'],
    trust: on.trustFile,
    instance: 'bff-1',
    log: { debug() {}, info() {}, warn() {}, error() {} },
  })
  await bff.ready()
  await commit(on.origin, 'Go step by step', { 'functions/needle.config.ts': await stepped() })
}, scenarioMs)
afterAll(async () => {
  await bff.close()
  await on[Symbol.asyncDispose]()
})

/** The configuration of this project with a policy that is done with ten calls, and leaves a trace when it is run. */
async function stepped(): Promise<string> {
  const config = await readFile(join(project, 'functions/needle.config.ts'), 'utf8')
  const policy = `'${functionName}': {
      rollout: {
        steps: [{ weightPercent: 50, bakeMs: 0 }],
        analysis: { minimumCalls: 10 },
        rollbackWindowMs: 10_000,
      },
    },`
  const changed = config.replace('policies: {', `policies: {\n    ${policy}`)
  expect(changed).not.toBe(config)
  return `import { appendFileSync } from 'node:fs'\n${changed}\nappendFileSync('${evaluations()}', 'run ')\n`
}

const evaluations = (): string => join(on.directory, 'evaluations')

/** Merges code and deploys it; resolves to the end of that, which starts what follows. */
async function deploy(code: Readonly<Record<string, string | null>>): Promise<WorkflowEvent> {
  await commit(on.origin, 'Greet anew', code)
  const event = await push(on.origin)
  const { name, conclusion } = landed(await on.run('deploy', event))
  const { version } = await on.manifest()
  await vi.waitFor(
    () => {
      expect(bff.needle.status().manifest?.version).toBeGreaterThanOrEqual(version)
      expect(inBff()?.canary).toEqual(expect.any(String))
    },
    { timeout: 20_000 },
  )
  return completed(on.origin, { workflow: name, event, conclusion })
}

/** What the BFF has of the function. */
function inBff() {
  return bff.needle.status().functions.find((each) => each.function === functionName)
}

let users = 0

/** What so many users get, one after another. */
async function ask(count: number): Promise<string[]> {
  const answers: string[] = []
  for (let index = 0; index < count; index++) {
    const headers = { 'x-needle-key': `user-${(users += 1)}` }
    answers.push((await bff.inject({ method: 'POST', url: `/${functionName}`, headers })).body)
  }
  return answers
}

/** Users who keep coming until `ended` settles. */
async function askUntil<Value>(ended: Promise<Value>): Promise<Value> {
  const over = new AbortController()
  const running = ended.finally(() => over.abort())
  while (!over.signal.aborted) {
    await ask(5)
    await delay(100)
  }
  return running
}

/** Resolves once the BFF's own report in the store satisfies. */
async function untilReported(expected: object): Promise<void> {
  const file = join(on.store, objectKey.instance('production', 'bff-1'))
  const read = async (): Promise<unknown> =>
    instanceReportSchema.parse(JSON.parse(await readFile(file, 'utf8'))).functions[functionName]
  await vi.waitFor(async () => expect(await read()).toMatchObject({ rollout: expected }), {
    timeout: 90_000,
    interval: 250,
  })
}

const said = (word: string): string => JSON.stringify({ greeting: word })

describe('after a deploy', () => {
  it(
    'the rollout goes to everyone by what a BFF measured, writes the environment only and runs no configuration',
    async () => {
      const event = await deploy(greeting('hi'))
      expect(new Set(await ask(40))).toEqual(new Set([said('hello'), said('hi')]))
      const [before, evaluated] = [await on.objectsInStore(), await readFile(evaluations(), 'utf8')]
      expect(evaluated).not.toBe('')
      const run = landed(await askUntil(on.run('rollout', event)))
      const log = logOf(run)
      expect(log).toContain(`${functionName}  promote  successful`)
      // On to the end of the window in which it would have gone back by itself.
      expect(log).toContain(`${functionName}  wait  running`)
      expect(log).toContain(`Done: ${functionName} arrived`)
      expect(log).toContain('No alarm in production')
      await vi.waitFor(async () => expect(new Set(await ask(20))).toEqual(new Set([said('hi')])))

      const written = (await on.objectsInStore()).filter(
        // The file store's locks are no objects.
        (key) => !before.includes(key) && !key.startsWith('.needle-store/'),
      )
      expect(written).toContainEqual(expect.stringMatching(/\/history\//))
      expect(written.filter((key) => !key.startsWith('environments/production/'))).toEqual([])
      expect(await readFile(evaluations(), 'utf8')).toBe(evaluated)
      const { d }: { d: string } = JSON.parse(on.keys.operator)
      expect(log).not.toContain(d)
    },
    scenarioMs,
  )

  it(
    'the next merge is published while a rollout goes on, which then takes that one to everyone',
    async () => {
      const overtaken = on.run('rollout', await deploy(greeting('ahoy')))
      const canary = inBff()?.canary
      await deploy(greeting('moin'))
      expect(inBff()?.canary).not.toBe(canary)
      const log = logOf(landed(await askUntil(overtaken)))
      expect(log).toMatch(/promote {2}successful[^]*Done: shop\/greeting arrived/)
      await vi.waitFor(async () => expect(new Set(await ask(20))).toEqual(new Set([said('moin')])))
    },
    2 * scenarioMs,
  )

  it(
    'a rollout that nobody calls ends as inconclusive, and the next round carries on',
    async () => {
      const text = await readFile(join(project, workflow), 'utf8')
      const impatient = text.replace(/--timeout \d+/, '--timeout 6')
      expect(impatient).not.toBe(text)
      const event = await deploy({ ...greeting('hey'), [workflow]: impatient })
      const run = await on.run('rollout', event)
      expect(run.conclusion).toBe('failure')
      expect(logOf(run)).toContain(`too little to judge by: ${functionName}`)
      expect(logOf(run)).toContain('No alarm in production')

      await ask(40)
      await untilReported({ measured: { canary: { calls: expect.toSatisfy((n) => n >= 10) } } })
      const round = landed(await on.run('rounds', await trigger(on.origin, 'schedule')))
      expect(logOf(round)).toContain(`${functionName}  promote  successful`)
      await vi.waitFor(async () => expect(new Set(await ask(20))).toEqual(new Set([said('hey')])))
    },
    scenarioMs,
  )

  it(
    'a bad canary of which the rollout was killed is aborted by the next round, and somebody is told',
    async () => {
      await using receiver = await startReceiver(webhookSecret)
      const broken = `export default async () => {\n  if (Math.max(1) === 1) throw new Error('no greeting')\n  return { greeting: 'oh' }\n}\n`
      const event = await deploy({
        'functions/shop/greeting/index.ts': broken,
        'functions/shop/greeting/index.test.ts': `import { expect, it } from 'vitest'\nimport greet from './index.ts'\n\nit('does not greet', async () => {\n  await expect(greet()).rejects.toThrow('no greeting')\n})\n`,
      })
      const kill = new AbortController()
      const clock = join(on.store, 'environments/production/clock.json')
      const lookedAt = (await stat(clock)).mtimeMs
      const rollout = on.run('rollout', event, { signal: kill.signal })
      // It asks the store for the time when it begins to look.
      await vi.waitFor(async () => expect((await stat(clock)).mtimeMs).toBeGreaterThan(lookedAt), {
        timeout: 60_000,
        interval: 50,
      })
      kill.abort()
      expect((await rollout).conclusion).toBe('failure')

      await ask(80)
      await untilReported({ trip: { cause: 'errors' } })
      const before = await on.manifest()
      const round = await on.run('rounds', await trigger(on.origin, 'schedule'), {
        variables: { NEEDLE_WEBHOOK: receiver.url },
      })
      expect(logOf(round)).toContain(`${functionName}  abort  failed`)
      expect(round.conclusion).toBe('failure')
      expect(await on.manifest()).toMatchObject({
        version: before.version + 1,
        actor: 'needle rollout',
        decisions: [{ function: functionName, kind: 'abort' }],
      })
      expect(receiver.received).toContainEqual(
        expect.objectContaining({
          isGenuine: true,
          body: expect.objectContaining({
            data: expect.objectContaining({ code: 'ROLLOUT_ABORTED', function: functionName }),
          }),
        }),
      )
      await vi.waitFor(async () => expect(new Set(await ask(20))).toEqual(new Set([said('hey')])))
    },
    scenarioMs,
  )
})
