import { readdir } from 'node:fs/promises'
import { objectKey, shortDigest } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, RuntimeError } from '@needle-faas/runtime/store'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { testReportedFunction } from '../../../runtime/src/manifest/testing/test-reports.ts'
import * as z from 'zod'
import { main } from '../../src/cli.ts'
import { followFleet } from '../../src/commands/follow-fleet.ts'
import { createTestRelease } from '../publisher/environment-under-test.ts'
import {
  ask,
  codeOf,
  createOperatedEnvironment,
  type OperatedEnvironment,
} from './operated-environment.ts'

const resultSchema = z.object({
  version: z.number().nullable(),
  refusals: z.array(z.object({ code: z.string(), message: z.string() })),
  fleet: z.object({
    converged: z.boolean(),
    fault: z.object({ code: z.string() }).nullable(),
    instances: z.array(
      z.object({ instance: z.string(), state: z.string(), version: z.number().nullable() }),
    ),
  }),
})

let on: OperatedEnvironment
beforeEach(async () => {
  on = await createOperatedEnvironment()
  await on.publish({ 'shop/card': 'card 1', 'shop/quote': 'quote 1' })
})
afterEach(() => on[Symbol.asyncDispose]())

async function order(...args: string[]) {
  const { exitCode, stdout, json } = await on.needle([...args, ...on.operator, '--json'])
  const parsed = resultSchema.safeParse(json())
  if (!parsed.success) throw new Error(stdout)
  return { exitCode, ...parsed.data }
}

test('stop, resume, rollback and clear need a store, a trust root and a key, in an empty directory', async () => {
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote 1' })
  const instances = [await on.startInstance('bff-1'), await on.startInstance('bff-2')]
  const answers = (name: string) => Promise.all(instances.map((each) => ask(each, name)))

  const stopped = await order('stop', 'shop/card', '--reason', 'floods the ERP')
  expect(stopped).toMatchObject({ exitCode: 0, version: 3, fleet: { converged: true } })
  expect(stopped.fleet.instances).toMatchObject([
    { instance: 'bff-1', state: 'current', version: 3 },
    { instance: 'bff-2', state: 'current', version: 3 },
  ])
  expect(await answers('shop/card')).toEqual(['FUNCTION_STOPPED', 'FUNCTION_STOPPED'])
  expect(await answers('shop/quote')).toEqual(['quote 1', 'quote 1'])

  expect(await order('resume', 'shop/card', '--reason', 'calm')).toMatchObject({ exitCode: 0 })
  expect(await answers('shop/card')).toEqual(['card 2', 'card 2'])

  expect(await order('rollback', 'shop/card', '--reason', '500s')).toMatchObject({ exitCode: 0 })
  expect(await answers('shop/card')).toEqual(['card 1', 'card 1'])

  const cleared = await order('clear', 'shop/card', '--hold', '--reason', 'done')
  expect(cleared).toMatchObject({ exitCode: 0, version: 6, fleet: { converged: true } })
  expect(await readdir(on.directory)).toEqual([])
})

test('a rollback typed again, to be sure, quarantines no good release', async () => {
  await on.publish({ 'shop/card': 'card 2' })
  await on.publish({ 'shop/card': 'card 3' })
  const instance = await on.startInstance('bff-1')
  const rollback = ['rollback', 'shop/card', '--reason', '500s', ...on.operator]
  expect((await on.needle(rollback)).exitCode).toBe(0)
  const again = await on.needle(rollback)
  expect(again.exitCode).toBe(0)
  expect(again.stdout).toContain('Nothing to change: production version 4')
  expect(again.stdout).toContain('shop/card  not changed: already taken back by Bo')
  expect(again.stdout).toContain('1 of 1 instance runs version 4')
  const colleague = await on.needle([...rollback, '--actor', 'Cleo'])
  expect(colleague.exitCode).toBe(1)
  expect(colleague.stdout).toMatch(/Nothing changed in production\n.*already taken back by Bo/)
  expect(await ask(instance, 'shop/card')).toBe('card 2')
})

test('a stop ended gives back the hold of a rollback: no merge of the bad code goes out, and its alarm stays', async () => {
  const quote = { 'shop/quote': 'quote 1' }
  await on.publish({ 'shop/card': 'card 2', ...quote })
  const instance = await on.startInstance('bff-1')
  const alarms = async () => (await on.needle(['alarms', ...on.location])).stdout
  await order('rollback', 'shop/card', '--reason', '500s')
  expect(await alarms()).toMatch(/^NEW +warning +ROLLED_BACK/)

  await order('stop', 'shop/card', '--reason', 'floods the ERP')
  const status = async () => (await on.needle(['status', ...on.location])).stdout
  expect(await status()).toContain('STOPPED by Bo: floods the ERP; once resumed held by Bo: 500s')
  expect(await alarms()).not.toContain('RESOLVED')

  const { stdout } = await on.needle(['resume', 'shop/card', '--reason', 'calm', ...on.operator])
  expect(stdout).toContain('held again by Bo: 500s')
  expect(await ask(instance, 'shop/card')).toBe('card 1')
  expect(await status()).toContain('held by Bo: 500s')
  expect(await alarms()).not.toMatch(/RESOLVED.*ROLLED_BACK|NEW/)

  const history = await on.needle(['history', 'shop/card', '--limit', '1', ...on.location])
  expect(history.stdout).toContain('shop/card  stop of Bo ended\n')
  expect(history.stdout).toContain('shop/card  held again by Bo\n')
  const trace = await on.needle(['trace', `shop/card@${await digitsOf('card 1')}`, ...on.location])
  expect(trace.stdout).toContain('held again by Bo: 500s')

  const { plan } = await on.publish({ 'shop/card': 'card 2', ...quote })
  expect(plan).toMatchObject({ refusals: [], kept: [{ function: 'shop/card', reason: '500s' }] })
  await on.publish({ 'shop/card': 'card fixed', ...quote })
  expect(await alarms()).toMatch(/RESOLVED +warning +ROLLED_BACK/)
})

test.each([
  ['resume', ['resume', 'shop/card', '--reason', 'calm'], 'stopped'],
  ['clear', ['clear', 'shop/card', '--hold', '--reason', 'calm'], 'held'],
])(
  '%s ordered again, as after a store that was away, is done, and follows the fleet',
  async (_, args, what) => {
    await on.startInstance('bff-1')
    await order('stop', 'shop/card', '--reason', 'floods the ERP')
    expect((await on.needle([...args, ...on.operator])).exitCode).toBe(0)
    const again = await on.needle([...args, ...on.operator])
    expect(again.stdout).toContain(
      `shop/card  not changed: it is not ${what} as of version 3 of Bo: calm`,
    )
    expect(again.stdout).toContain('1 of 1 instance runs version 3')
    expect(again.exitCode).toBe(0)
    // Who orders it anew may mean something else.
    const colleague = await on.needle([...args, ...on.operator, '--actor', 'Cleo'])
    expect([colleague.exitCode, colleague.stdout]).toEqual([
      1,
      expect.stringContaining('NOTHING_TO_'),
    ])
  },
)

test('an order without a word of reason is not carried out', async () => {
  const stop = ['stop', 'shop/card', '--reason', '  ']
  const { exitCode, stderr } = await on.needle([...stop, ...on.operator])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('--reason is empty')])
})

test('the variables do as well as the options', async () => {
  const [, store = '', , trust = ''] = on.location
  const env = {
    NEEDLE_STORE: store,
    NEEDLE_TRUST: trust,
    NEEDLE_OPERATOR_KEY: JSON.stringify(on.trust.keys.operator.privateJwk),
  }
  const { exitCode, stdout } = await on.needle(['stop', 'shop/card', '--reason', 'drill'], env)
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('No instance reports here')])
})

test('with neither it says what to give', async () => {
  const { exitCode, stderr } = await on.needle(['stop', 'shop/card', '--reason', 'drill'])
  expect([exitCode, stderr]).toEqual([2, expect.stringContaining('give --store and --trust')])
})

test('who lags and who is silent is told by name, and the exit code says that not all have followed', async () => {
  await on.startInstance('bff-quick')
  const slow = await on.startInstance('bff-slow', { pollIntervalMs: 3_600_000 })
  await on.report('bff-gone', {}, 10 * 60_000 + 1000)

  const args = ['stop', 'shop/card', '--reason', 'drill', '--wait', '1', ...on.operator]
  const { exitCode, stdout, stderr } = await on.needle(args)
  expect(exitCode).toBe(4)
  expect(stdout).toContain('1 of 3 instances run version 2, 1 silent')
  expect(stdout).toMatch(/bff-slow +version 1 +LAGS, reported \d+ s ago/)
  expect(stdout).toMatch(/bff-gone +version none +silent since 20\S+ \(10 min\)/)
  expect(stdout).not.toContain('bff-quick')
  expect(stderr).toContain('0 of 3 instances run version 2, 1 silent')

  await slow.refresh()
  await expect
    .poll(async () => (await on.needle(['status', ...on.location])).stdout)
    .toMatch(/instance bff-slow +version 2 +up to date/)
})

test('whoever does not wait for the end is told that the order stands', async () => {
  await on.startInstance('bff-slow', { pollIntervalMs: 3_600_000 })
  const interrupt = new AbortController()
  let stderr = ''
  const running = main(['stop', 'shop/card', '--reason', 'drill', ...on.operator], {
    stdout: () => {},
    stderr: (text) => void (stderr += text),
    isTerminal: false,
    cwd: on.directory,
    env: {},
    signal: interrupt.signal,
  })
  await expect.poll(() => stderr, { timeout: 5000 }).toContain('0 of 1 instance runs version 2')
  interrupt.abort()
  expect(await running).toBe(130)
  expect(stderr).toContain('production is at version 2 all the same: drill')
  expect(stderr).toContain('needle status')
})

test('an instance that was stopped in order is not waited for, nor does status call it lagging', async () => {
  const leaving = await on.startInstance('bff-leaving')
  await on.startInstance('bff-staying')
  await leaving.close()
  const { exitCode, fleet } = await order('stop', 'shop/card', '--reason', 'drill')
  expect([exitCode, fleet.instances]).toMatchObject([0, [{ instance: 'bff-staying' }]])
  const { stdout } = await on.needle(['status', ...on.location])
  expect(stdout).toContain('bff-staying')
  expect(stdout).not.toContain('bff-leaving')
})

test('an instance that takes the manifest but refuses the function has not followed', async () => {
  const card = objectKey.artifact((await servedArtifact('card 1')).artifact)
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote 1' })
  const withoutOld: ArtifactStore = {
    ...on.store,
    get: (key, options) =>
      key === card ? Promise.resolve({ status: 'missing' }) : on.store.get(key, options),
  }
  await on.startInstance('bff-poor', { store: withoutOld })
  const args = ['rollback', 'shop/card', '--reason', '500s', '--wait', '1', ...on.operator]
  const { exitCode, stdout } = await on.needle(args)
  expect(exitCode).toBe(4)
  expect(stdout).toMatch(/bff-poor +version 3 +REFUSES it, OBJECT_MISSING/)
})

test.each([
  ['cut a canary off has followed all the same', 'CANARY_TRIPPED', 0],
  ['serves the release before the desired one has not', 'STABLE_TRIPPED', 4],
])('an instance that %s', async (_, code, expected) => {
  const at = new Date().toISOString()
  const digest = `sha256:${'0'.repeat(64)}` as const
  await on.report('bff-1', {
    manifest: { epoch: 1, version: 2, digest, commit: null, activatedAt: at, lagMs: 1 },
    functions: {
      'shop/card': testReportedFunction({
        manifestVersion: 2,
        refusals: [{ code, message: 'it did worse', since: at }],
      }),
    },
  })
  const args = ['stop', 'shop/card', '--reason', 'x', '--wait', '0', ...on.operator]
  const { exitCode } = await on.needle(args)
  expect(exitCode).toBe(expected)
})

test('reports that cannot be read fail nothing that was written', async () => {
  const store: ArtifactStore = {
    ...on.store,
    list: (prefix, options) => {
      if (prefix.includes('/instances/')) throw new RuntimeError('STORE_DENIED', 'no listing')
      return on.store.list(prefix, options)
    },
  }
  const outcome = await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote 1' })
  if (outcome.manifest === null) throw new Error('not written')
  const signal = new AbortController().signal
  const io = {
    stdout: () => {},
    stderr: () => {},
    isTerminal: false,
    cwd: on.directory,
    env: {},
    signal,
  }
  const result = await followFleet(
    io,
    { ...on.publisher.access, store },
    { manifest: outcome.manifest, function: 'shop/card', waitMs: 0 },
  )
  expect(result).toMatchObject({ exitCode: 4, json: { fault: { code: 'STORE_DENIED' } } })
})

test.each([
  ['is not stopped', [], 'it is not stopped'],
  ['is held', ['hold'], 'needle clear shop/card --hold'],
])('resume of a function that %s says so', async (_, [first], message) => {
  if (first) await on.needle([first, 'shop/card', '--reason', 'look', ...on.operator])
  const args = ['resume', 'shop/card', '--reason', 'x', ...on.operator]
  const { exitCode, stdout } = await on.needle(args)
  expect([exitCode, stdout]).toEqual([1, expect.stringContaining(message)])
})

test.each([
  ...['soon', '', '-1', '1e9'].map((typed) => ['--wait', typed, 'takes seconds']),
  ...['soon', '2026', '2026-13-01'].map((typed) => ['--until', typed, 'is no time']),
])('%s "%s" is refused before anything is written', async (option, typed, says) => {
  const args = ['stop', 'shop/card', '--reason', 'x', `${option}=${typed}`, ...on.operator]
  const { exitCode, stderr } = await on.needle(args)
  expect([exitCode, stderr]).toEqual([2, expect.stringMatching(`${option}.* ${says}`)])
  const history = await on.needle(['history', ...on.location, '--json'])
  expect(history.json()).toHaveLength(1)
})

async function digitsOf(text: string): Promise<string> {
  return shortDigest((await servedArtifact(text)).release)
}

async function servedArtifact(text: string) {
  return (await createTestRelease(on.trust, 'shop/card', codeOf(text))).ref
}
