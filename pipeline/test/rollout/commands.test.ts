import { digestOf, instanceReportSchema, objectKey } from '@needle-faas/runtime/manifest'
import { openStore } from '@needle-faas/runtime/store'
import * as z from 'zod'
import { expect, test, vi } from 'vitest'
import {
  testReport,
  testReportedFunction,
} from '../../../runtime/src/manifest/testing/test-reports.ts'
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
    ...testReport('one'),
    reportedAt: at,
    manifest: {
      epoch,
      version,
      digest: digestOf(entry.bytes),
      commit: null,
      activatedAt: at,
      lagMs: 0,
    },
    functions: {
      'shop/card': {
        ...testReportedFunction({ manifestVersion: version }),
        stable: card.stable.release,
        canary: card.rollout?.canary.release ?? null,
        weightPercent: card.rollout?.weightPercent ?? 0,
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

test.concurrent('a rollout by commands: no reports, too few calls, approval, everyone', async () => {
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

test.concurrent('an abort exits with 1, says why, and a policy that is not approved yet waits at 0 %', async () => {
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

test.concurrent('--watch goes on through a damaged store, tells each decision once, and ends well', async () => {
  await using on = await onItsWay()
  const { ended, told, stderr, interrupt } = start(on, '--watch')
  try {
    await until(() => expect(told()).toEqual(['hold error']))
    await report(on, 50)
    await until(() => expect(told()).toEqual(['hold error', 'hold successful']))
    expect(stderr).toEqual([])

    const repair = await damageGroup(on)
    await until(() => expect(stderr.join('')).toMatch(/OBJECT_\w+: .*\n.*\nAgain in \d+ s/))
    await repair()
    await on.needle(['approve', 'shop/card', '--reason', 'go'])
    await until(() => expect(told()).toContain('step successful'))
  } finally {
    interrupt()
  }
  expect(await ended).toBe(0)
})

/** A `needle rollout` that goes on, and what it has printed so far. */
function start(on: PublishedRepository, ...args: string[]) {
  const interrupt = new AbortController()
  const lines: string[] = []
  const stderr: string[] = []
  const ended = main(['rollout', ...args, '--interval', '1', '--json'], {
    stdout: (text) => void lines.push(text),
    stderr: (text) => void stderr.push(text),
    isTerminal: false,
    cwd: on.repository.directory,
    env: on.env,
    signal: interrupt.signal,
  })
  // The last line of --until-done is its ending.
  const looks = () => lines.filter((line) => line.includes('"decisions"'))
  const told = () => looks().map((line) => toDecided(JSON.parse(line))[0])
  return { ended, lines, stderr, told, interrupt: () => interrupt.abort() }
}

/** How `--until-done` ended, and its exit code. */
async function ending({ ended, lines }: ReturnType<typeof start>) {
  const exitCode = await ended
  const last: unknown = JSON.parse(lines.at(-1) ?? 'null')
  return [z.object({ ended: z.string() }).parse(last).ended, exitCode]
}

test.concurrent('--until-done has a verdict and an exit code for each way in which time can be over', async () => {
  await using on = await onItsWay()
  const outOfTime = (...more: string[]) =>
    ending(start(on, '--until-done', '--timeout', '1', ...more))
  expect(await outOfTime()).toEqual(['error', 3])
  await report(on, 9)
  expect(await outOfTime()).toEqual(['inconclusive', 5])
  expect(await outOfTime('--leave-unfinished')).toEqual(['inconclusive', 5])
  await report(on, 50)
  expect(await outOfTime()).toEqual(['running', 4])
  expect(await outOfTime('--leave-unfinished')).toEqual(['running', 0])
})

test.concurrent('--until-done goes on until everyone has it, and ends at once when nothing is on its way', async () => {
  await using on = await onItsWay({ rollbackWindowMs: 0 })
  await report(on, 50)
  await on.needle(['approve', 'shop/card', '--reason', 'go'])
  const watching = start(on, '--until-done')
  await until(() => expect(watching.told()).toContain('step successful'))
  await report(on, 100)
  expect(await ending(watching)).toEqual(['successful', 0])
  expect(watching.lines.join('')).toContain('"promote"')
  expect(JSON.parse(watching.lines.at(-1) ?? '')).toMatchObject({ functions: ['shop/card'] })
  expect(await ending(start(on, '--until-done'))).toEqual(['successful', 0])
})

test.concurrent.each(['--watch', '--until-done'])(
  '%s ends at once with a key that may not sign here',
  async (how) => {
    await using on = await onItsWay()
    const { ended, lines, stderr } = start(on, how, '--key', '.needle/keys/preview.jwk.json')
    expect(await ended).toBe(1)
    expect([...lines, ...stderr].join('')).toContain('KEY_WRONG_ROLE')
    expect(stderr.join('')).not.toContain('Again in')
  },
)

test.concurrent('--until-done waits for the end of a rollback window', async () => {
  await using on = await createPublishedRepository()
  await on.publish(first)
  await on.publish(second)
  const watching = start(on, '--until-done', '--timeout', '2')
  expect(await ending(watching)).toEqual(['running', 4])
  expect(watching.told()[0]).toBe('wait running')
})

test.concurrent('--until-done has failed when a canary was taken back while it looked, by whomever', async () => {
  await using on = await onItsWay()
  await report(on, 10, 10)
  expect(await ending(start(on, '--until-done'))).toEqual(['failed', 1])
  // Later, nothing of it is on its way any more.
  expect(await ending(start(on, '--until-done'))).toEqual(['successful', 0])

  await using other = await onItsWay()
  await report(other, 50)
  const watching = start(other, '--until-done')
  await until(() => expect(watching.told()).toEqual(['hold successful']))
  await other.needle(['abort', 'shop/card', '--reason', 'no', '--wait', '0'])
  expect(await ending(watching)).toEqual(['failed', 1])
})

test.concurrent('--until-done that is interrupted does not say that all is well', async () => {
  await using on = await onItsWay()
  const watching = start(on, '--until-done')
  await until(() => expect(watching.lines).not.toEqual([]))
  watching.interrupt()
  expect(await watching.ended).toBe(130)
})

test.concurrent.each([
  [['--interval', '0'], '--interval takes seconds'],
  [['--until-done', '--timeout', '0'], '--timeout takes seconds from 1 to 86400, not \\"0\\"'],
  [['--watch', '--timeout', '10'], '--timeout goes with --until-done'],
  [['--watch', '--until-done'], 'one of --once, --watch and --until-done, not --watch and --until'],
  [['--once', '--watch'], 'one of --once, --watch and --until-done, not --once and --watch'],
  [['--until-done', '--leave-unfinished'], '--leave-unfinished goes with --timeout'],
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
