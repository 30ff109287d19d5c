import { digestOf, instanceReportSchema, objectKey } from '@needle-faas/runtime/manifest'
import { openStore } from '@needle-faas/runtime/store'
import * as z from 'zod'
import { expect, test, vi } from 'vitest'
import { main } from '../../src/cli.ts'
import {
  createPublishedRepository,
  type NeedleOutcome,
  type PublishedRepository,
} from '../publisher/published-repository.ts'

// Many Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const roundSchema = z.object({
  written: z.boolean(),
  version: z.number().nullable(),
  decisions: z.array(z.object({ kind: z.string(), verdict: z.string(), text: z.string() })),
})

const statusSchema = z.object({
  manifest: z.object({ version: z.number(), epoch: z.number() }),
  functions: z.record(
    z.string(),
    z.object({
      stable: z.object({ release: z.string() }),
      rollout: z
        .object({
          canary: z.object({ release: z.string() }),
          salt: z.string(),
          step: z.number(),
          weightPercent: z.number(),
        })
        .nullable(),
    }),
  ),
})

function decided(outcome: NeedleOutcome): string[] {
  return toDecided(outcome.json)
}

function toDecided(json: unknown): string[] {
  return roundSchema.parse(json).decisions.map(({ kind, verdict }) => `${kind} ${verdict}`)
}

const first = { 'shop/card': 'card 1' }
const second = { 'shop/card': 'card 2' }
const now = { bakeMs: 0 }

const policyOf = (more: object) => ({
  'shop/card': {
    steps: [
      { weightPercent: 10, ...now },
      { weightPercent: 100, ...now, approval: true },
    ],
    analysis: {
      errorRise: 0.01,
      latencyQuantile: 0.95,
      latencyFactor: 1.5,
      latencyToleranceMs: 20,
      slowRise: 0.05,
      minimumCalls: 10,
    },
    rollbackWindowMs: 600_000,
    ...more,
  },
})

/** Published twice, the second time by a policy that wants approval before everyone. */
async function onItsWay(more: object = {}): Promise<PublishedRepository> {
  const on = await createPublishedRepository()
  await on.publish(first)
  await on.build(second, { rollouts: policyOf(more) })
  const { exitCode, stdout } = await on.needle(['publish'])
  if (exitCode !== 0) throw new Error(stdout)
  return on
}

/** One instance says that it counted so many calls of both sides, and so many failures of the canary. */
async function report(on: PublishedRepository, calls: number, faults = 0): Promise<void> {
  const status = statusSchema.parse((await on.needle(['status'])).json)
  const card = status.functions['shop/card']
  const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
  const { version, epoch } = status.manifest
  const entry = await store.get(objectKey.history('production', version), { maxBytes: 1e6 })
  if (entry.status !== 'found' || card === undefined) throw new Error('nothing is on its way')
  const at = new Date().toISOString()
  const counts = { stable: { calls, faults: 0, slow: 0 }, canary: { calls, faults, slow: 0 } }
  const trip = { cause: 'errors', at, ...counts, slowLimitMs: null, evidence: 30_000 }
  const document = instanceReportSchema.parse({
    specVersion: 1,
    environment: 'production',
    instance: 'one',
    reportedAt: at,
    startedAt: at,
    state: 'ready',
    frozen: false,
    manifest: {
      epoch,
      version,
      digest: digestOf(entry.bytes),
      commit: null,
      activatedAt: at,
      lagMs: 0,
    },
    refusal: null,
    functions: {
      'shop/card': {
        stable: card.stable.release,
        canary: card.rollout?.canary.release ?? null,
        weightPercent: card.rollout?.weightPercent ?? 0,
        stopped: false,
        manifestVersion: version,
        refusals: [],
        ...(card.rollout && {
          rollout: {
            canary: card.rollout.canary.release,
            salt: card.rollout.salt,
            since: at,
            measured: counts,
            trip: faults > 0 ? trip : null,
          },
        }),
      },
    },
  })
  const bytes = new TextEncoder().encode(JSON.stringify(document))
  await store.put(objectKey.instance('production', 'one'), bytes)
}

test('a rollout by commands: no reports, too few calls, approval, everyone', async () => {
  await using on = await onItsWay()
  const blind = await on.needle(['rollout'])
  expect([decided(blind), blind.exitCode]).toEqual([['hold error'], 3])

  await report(on, 9)
  const quiet = await on.needle(['rollout', '--once'])
  expect([decided(quiet), quiet.exitCode]).toEqual([['hold inconclusive'], 0])

  await report(on, 50)
  const waiting = await on.needle(['rollout'])
  expect([decided(waiting), waiting.exitCode]).toEqual([['hold successful'], 0])

  const approve = ['approve', 'shop/card', '--reason', 'looks good']
  expect((await on.needle(approve)).exitCode).toBe(0)
  const again = await on.needle(approve)
  expect([again.exitCode, again.stdout]).toEqual([1, expect.stringContaining('approved by')])

  const stepped = await on.needle(['rollout'])
  expect(decided(stepped)).toEqual(['step successful'])
  await report(on, 100)
  const promoted = await on.needle(['rollout'])
  expect([decided(promoted), promoted.exitCode]).toEqual([['promote successful'], 0])
  expect(roundSchema.parse(promoted.json)).toMatchObject({ written: true, version: 5 })

  const done = await on.needle(['rollout'])
  expect([decided(done), done.exitCode]).toEqual([['wait running'], 0])
  expect((await on.needle(approve)).stdout).toContain('NO_ROLLOUT')
  const history: unknown = (await on.needle(['history', '--limit', '1'])).json
  expect(history).toMatchObject([{ actor: 'needle rollout', decisions: [{ kind: 'promote' }] }])
})

test('an abort exits with 1, says why, and a policy that is not approved yet waits at 0 %', async () => {
  const steps = [{ weightPercent: 10, ...now, approval: true }]
  await using on = await onItsWay({ steps })
  const card = async () =>
    statusSchema.parse((await on.needle(['status'])).json).functions['shop/card']
  expect((await card())?.rollout?.weightPercent).toBe(0)
  const waiting = await on.needle(['rollout'])
  expect([decided(waiting), waiting.exitCode]).toEqual([['hold pending'], 0])
  await on.needle(['approve', 'shop/card', '--reason', 'go'])
  expect(decided(await on.needle(['rollout']))).toEqual(['step pending'])
  await report(on, 10, 10)
  const aborted = await on.needle(['rollout'])
  expect([decided(aborted), aborted.exitCode]).toEqual([['abort failed'], 1])
  expect((await card())?.rollout).toBeNull()
})

test('--watch goes on through a damaged store, tells each decision once, and ends well', async () => {
  await using on = await onItsWay()
  const interrupt = new AbortController()
  const lines: string[] = []
  let stderr = ''
  const ended = main(['rollout', '--watch', '--interval', '1', '--json'], {
    stdout: (text) => void lines.push(text),
    stderr: (text) => void (stderr += text),
    isTerminal: false,
    cwd: on.repository.directory,
    env: on.env,
    signal: interrupt.signal,
  })
  const told = () => lines.map((line) => toDecided(JSON.parse(line))[0])
  try {
    await until(() => expect(told()).toEqual(['hold error']))
    await report(on, 50)
    await until(() => expect(told()).toEqual(['hold error', 'hold successful']))
    expect(stderr).toBe('')

    const repair = await damageGroup(on)
    await until(() => expect(stderr).toMatch(/OBJECT_\w+: .*\n.*\nAgain in \d+ s/))
    await repair()
    await on.needle(['approve', 'shop/card', '--reason', 'go'])
    await until(() => expect(told()).toContain('step successful'))
  } finally {
    interrupt.abort()
  }
  expect(await ended).toBe(0)
})

test.each([
  [['--interval', '0'], '--interval takes seconds'],
  [['--prometheus', 'prometheus:9090'], '--prometheus takes an address'],
])('%o is refused with what it takes', async (args, message) => {
  await using on = await createPublishedRepository()
  const outcome = await on.needle(['rollout', ...args])
  expect([outcome.exitCode, outcome.stdout]).toEqual([2, expect.stringContaining(message)])
})

function until(check: () => void): Promise<void> {
  return vi.waitFor(check, { timeout: 20_000 })
}

/** Spoils what the newest manifest says of the group; resolves to what puts it right. */
async function damageGroup(on: PublishedRepository): Promise<() => Promise<unknown>> {
  const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
  const groups = new Map<string, Uint8Array>()
  for await (const { key } of store.list('environments/production/groups/')) {
    const found = await store.get(key, { maxBytes: 1e6 })
    if (found.status === 'found') groups.set(key, found.bytes)
    await store.put(key, new TextEncoder().encode('{}'))
  }
  return () => Promise.all([...groups].map(([key, bytes]) => store.put(key, bytes)))
}
