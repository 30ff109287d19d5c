import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { objectKey, type Rollout, signDocument } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, RuntimeError } from '@needle-faas/runtime/store'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { testReportedFunction } from '../../../runtime/src/manifest/testing/test-reports.ts'
import * as z from 'zod'
import { findAlarms } from '../../src/alarms/find-alarms.ts'
import { lookForAlarms } from '../../src/alarms/look-for-alarms.ts'
import { startReceiver } from '../../src/alarms/testing/receiver.ts'
import { nothingTold } from '../../src/alarms/told-record.ts'
import { main } from '../../src/cli.ts'
import { readEnvironment } from '../../src/environment-state/read-environment.ts'
import { toFunctionStates } from '../../src/plan/function-states.ts'
import { planAbort } from '../../src/plan/plan-abort.ts'
import { planRound } from '../../src/rollout/plan-round.ts'
import { changeEnvironment } from '../../src/publish/change-environment.ts'
import { createOperatedEnvironment, type OperatedEnvironment } from './operated-environment.ts'

const secret = 'a secret of enough bytes'
const env = { NEEDLE_WEBHOOK_SECRET: secret }
const dayMs = 24 * 60 * 60 * 1000
const steps = [{ weightPercent: 20, bakeMs: 0 }]

const alarmSchema = z.object({
  code: z.string(),
  severity: z.string(),
  function: z.string().nullable(),
  text: z.string(),
  instances: z.array(z.string()),
  since: z.string(),
})
const noticeSchema = z.object({
  id: z.string(),
  status: z.string(),
  alarm: alarmSchema,
  fault: z.string().nullable(),
})
const outcomeSchema = z.object({
  alarms: z.array(alarmSchema),
  notices: z.array(noticeSchema),
})
const payloadSchema = z.object({ type: z.string(), data: alarmSchema })

const documentedSchema = z.looseObject({
  type: z.string(),
  data: z.record(z.string(), z.unknown()),
})

let on: OperatedEnvironment
beforeEach(async () => {
  on = await createOperatedEnvironment()
  await on.publish({ 'shop/card': 'card 1', 'shop/quote': 'quote' })
})
afterEach(async () => {
  vi.unstubAllEnvs()
  await on[Symbol.asyncDispose]()
})

async function alarms(...args: string[]) {
  const run = await on.needle(['alarms', ...args, ...on.location, '--json'], env)
  if (run.exitCode !== 0) throw new Error(run.stdout + run.stderr)
  return { ...outcomeSchema.parse(run.json()), stderr: run.stderr }
}

async function news(...args: string[]): Promise<readonly string[]> {
  const { notices } = await alarms(...args)
  return notices.map(({ status, alarm }) => `${status} ${alarm.code} ${alarm.function}`)
}

const order = (...args: string[]) =>
  on.needle([...args, '--reason', 'because', '--wait', '0', ...on.operator])

async function startCanary(): Promise<Rollout> {
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote' }, { canarySteps: steps })
  const { state } = await readEnvironment(on.publisher.access)
  const rollout = toFunctionStates(state.groups).get('shop/card')?.rollout
  if (!rollout) throw new Error('no rollout')
  return rollout
}

async function reportTrip(instance: string, { canary, salt }: Rollout): Promise<void> {
  const at = new Date().toISOString()
  const measured = {
    stable: { calls: 900, faults: 1, slow: 0 },
    canary: { calls: 20, faults: 12, slow: 0 },
  }
  await on.report(instance, {
    functions: {
      'shop/card': testReportedFunction({
        manifestVersion: 2,
        refusals: [{ code: 'CANARY_TRIPPED', message: 'it did worse', since: at }],
        rollout: {
          canary: canary.release,
          salt,
          since: at,
          measured,
          trip: { cause: 'errors', at, ...measured, slowLimitMs: null, evidence: 1e4 },
        },
      }),
    },
  })
}

const abort = () =>
  changeEnvironment(on.publisher, async (state) => ({
    plan: planAbort({
      state,
      function: 'shop/card',
      actor: 'controller',
      reason: 'worse than stable',
      now: Date.now(),
    }),
    uploads: [],
  }))

/** Alarms that a first look would find so much later. */
async function alarmsIn(laterMs: number) {
  const { access } = on.publisher
  const now = Date.now() + laterMs
  return (await lookForAlarms({ access, told: nothingTold, webhook: null, now })).alarms
}

/** The same, with their instances. */
async function codesIn(laterMs: number) {
  return (await alarmsIn(laterMs)).map(({ code, instances }) => [code, instances])
}

async function configure(alarms: unknown): Promise<void> {
  const production = { store: 'file:../store', trust: '../root.json', services: [], alarms }
  const config = `export default ${JSON.stringify({ environments: { production } })}\n`
  await mkdir(join(on.directory, 'functions'))
  await writeFile(join(on.directory, 'functions/needle.config.ts'), config)
}

const readAlarms = async () => (await on.needle(['alarms', ...on.location])).stdout

test('an alarm is told once when it begins and once when it is over, by whatever run finds it', async () => {
  expect(await news()).toEqual([])
  await order('stop', 'shop/quote')
  expect(await news()).toEqual(['raised FUNCTION_STOPPED shop/quote'])
  expect(await news()).toEqual([])
  await order('resume', 'shop/quote')
  expect(await news()).toEqual(['resolved FUNCTION_STOPPED shop/quote'])
  expect(await news()).toEqual([])
})

test('a webhook gets them signed; what it fails to take is sent again under the same id', async () => {
  await using receiver = await startReceiver(secret, [503, 503, 200, 404])
  await order('stop', 'shop/quote')
  await alarms('--webhook', receiver.url) // taken at the third attempt
  await order('resume', 'shop/quote')
  const { stderr, notices } = await alarms('--webhook', receiver.url) // refused
  expect(notices).toMatchObject([{ status: 'resolved', fault: 'it answered 404' }])
  expect(stderr).toContain('did not take 1 of 1')
  await alarms('--webhook', receiver.url)
  await alarms('--webhook', receiver.url)

  expect(receiver.received.every(({ isGenuine }) => isGenuine)).toBe(true)
  const types = receiver.received.map(({ body }) => payloadSchema.parse(body).type)
  expect(types).toEqual([
    'needle.alarm.raised',
    'needle.alarm.raised',
    'needle.alarm.raised',
    'needle.alarm.resolved',
    'needle.alarm.resolved',
  ])
  const ids = receiver.received.map(({ id }) => id)
  expect(new Set(ids.slice(0, 3)).size).toBe(1)
  expect(new Set(ids.slice(3)).size).toBe(1)
  expect(ids[0]).not.toBe(ids[3])
})

test('a webhook gets what the README shows, key by key', async () => {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
  const [, example = ''] = /### What a webhook gets[^]*?```json\n([^]*?)```/.exec(readme) ?? []
  await using receiver = await startReceiver(secret)
  const rollout = await startCanary()
  await reportTrip('bff-1', rollout)
  await alarms('--webhook', receiver.url)
  const shown = documentedSchema.parse(JSON.parse(example))
  const sent = documentedSchema.parse(receiver.received[0]?.body)
  expect(shapeOf(sent)).toEqual(shapeOf(shown))
  expect(shapeOf(sent.data)).toEqual(shapeOf(shown.data))
  expect([sent.type, sent.data['code']]).toEqual([shown.type, shown.data['code']])
})

/** Keys, and of which kind their values are. */
function shapeOf(value: object): object {
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [
      key,
      Array.isArray(member) ? 'array' : typeof member,
    ]),
  )
}

test('an abort is told with who and why, although another publish hid it, until the hold is over', async () => {
  await alarms()
  const rollout = await startCanary()
  await abort()
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote 2' })
  const { notices } = await alarms()
  expect(notices).toMatchObject([{ status: 'raised', alarm: { code: 'ROLLOUT_ABORTED' } }])
  expect(notices[0]?.alarm.text).toContain('controller aborted the canary')
  expect(notices[0]?.alarm.text).toContain('worse than stable')
  expect(rollout.canary.release).toContain(
    /canary ([0-9a-f]{12})/.exec(notices[0]?.alarm.text ?? '')?.[1],
  )
  await on.publish({ 'shop/card': 'card fixed', 'shop/quote': 'quote 2' })
  expect(await news()).toEqual(['resolved ROLLOUT_ABORTED shop/card'])
})

test('an abort by a controller is told with its reason once', async () => {
  await startCanary()
  const decided = { kind: 'abort', verdict: 'failed', refused: [] } as const
  const side = { calls: 20, faults: 12, slow: 0 }
  const evidence = { stable: side, canary: side, live: 1, voted: 1, late: 0, dead: 0, refused: 0 }
  await changeEnvironment(on.publisher, async (state) => ({
    plan: planRound({
      state,
      decisions: [{ ...decided, evidence, function: 'shop/card', text: 'cut off by bff-1' }],
      actor: 'needle rollout',
      now: Date.now(),
    }).plan,
    uploads: [],
  }))
  const [alarm] = (await alarms()).alarms
  expect(alarm?.text).toMatch(/ serves: cut off by bff-1\. Merge the revert/)
  expect(alarm?.text.match(/cut off/g)).toHaveLength(1)
})

test('a rollback is told as such, and not as a hold as well', async () => {
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote' })
  await order('rollback', 'shop/card')
  expect(await news()).toEqual(['raised ROLLED_BACK shop/card'])
})

test('a canary that instances cut off is one alarm that names them, gone with its rollout', async () => {
  const rollout = await startCanary()
  await reportTrip('bff-1', rollout)
  await reportTrip('bff-2', rollout)
  const { alarms: found } = await alarms()
  expect(found).toMatchObject([
    { code: 'CANARY_TRIPPED', severity: 'critical', instances: ['bff-1', 'bff-2'] },
  ])
  expect(found[0]?.text).toContain('12 of its 20 calls failed, 1 of 900 on stable')
  await abort()
  expect(await news()).toEqual([
    'resolved CANARY_TRIPPED shop/card',
    'raised ROLLOUT_ABORTED shop/card',
  ])
})

test('a stable that fails is told: where instances went back, and where nothing changes by itself', async () => {
  const { state } = await readEnvironment(on.publisher.access)
  const stable = toFunctionStates(state.groups).get('shop/card')?.stable.release
  if (stable === undefined) throw new Error('no stable')
  const at = new Date().toISOString()
  const failure = { stable, at, calls: 50, faults: 20, usualShare: 0.001, evidence: 1e4 }
  const told = testReportedFunction({ stable, manifestVersion: 1 })
  await on.report('bff-1', {
    functions: {
      'shop/card': { ...told, stableTrip: { ...failure, successor: stable } },
      'shop/quote': { ...told, stableFailure: failure }, // of another function's release
    },
  })
  await on.report('bff-2', {
    functions: { 'shop/card': { ...told, stableFailure: failure } },
  })
  const { alarms: found } = await alarms()
  expect(found).toMatchObject([
    { code: 'STABLE_TRIPPED', function: 'shop/card', instances: ['bff-1'], since: at },
    { code: 'STABLE_FAILING', function: 'shop/card', instances: ['bff-2'], since: at },
  ])
  expect(found[0]?.text).toContain('failed 20 of 50 calls on bff-1')
})

test('trips of another rollout of the same canary are history', async () => {
  const rollout = await startCanary()
  await reportTrip('bff-1', { ...rollout, salt: 'of-the-one-before' })
  expect(await news()).toEqual([])
})

describe('instances', () => {
  const since = '2026-11-25T11:00:00.000Z'
  const refusal = (code: string) => ({ code, message: 'no', since })

  test('that refuse the same are one alarm', async () => {
    const functions = {
      'shop/card': testReportedFunction({ refusals: [refusal('OBJECT_MISSING')] }),
    }
    for (const name of ['bff-1', 'bff-2']) await on.report(name, { functions })
    await on.report('bff-3', { refusal: refusal('SIGNATURE_INVALID') })
    expect((await alarms()).alarms).toMatchObject([
      {
        code: 'REFUSED',
        severity: 'warning',
        function: 'shop/card',
        since,
        instances: ['bff-1', 'bff-2'],
      },
      { code: 'REFUSED', severity: 'critical', function: null, instances: ['bff-3'] },
    ])
  })

  test('that are frozen, or were shown a fork, are critical', async () => {
    await on.report('bff-1', { frozen: true, refusal: refusal('MANIFEST_EXPIRED') })
    await on.report('bff-2', { refusal: refusal('MANIFEST_FORKED') })
    expect((await alarms()).alarms).toMatchObject([
      { code: 'FROZEN', severity: 'critical', instances: ['bff-1'] },
      { code: 'FORKED', severity: 'critical', instances: ['bff-2'] },
    ])
  })

  test('that lag get a minute, those that are silent three, and those stopped are no alarm', async () => {
    await on.report('bff-lagging', {}, -2 * 60_000)
    await on.report('bff-silent')
    await on.report('bff-stopped', { stopped: true })
    expect(await codesIn(0)).toEqual([])
    expect(await codesIn(4 * 60_000)).toEqual([
      ['INSTANCES_LAG', ['bff-lagging']],
      ['INSTANCES_SILENT', ['bff-silent']],
    ])
  })
})

test.each([
  ['in 22 days', 22, []],
  ['in 24 days', 24, ['MANIFEST_EXPIRES_SOON']],
  ['in 31 days', 31, ['MANIFEST_EXPIRED']],
])('%s the manifest of today is worth %3$j', async (_, days, codes) => {
  const found = await alarmsIn(days * dayMs)
  expect(found.map(({ code }) => code)).toEqual(codes)
})

test('a hold that somebody meant to look at again reminds', async () => {
  await on.needle(['hold', 'shop/card', '--until', '2020-01-01', '--reason', 'x', ...on.operator])
  expect(await news()).toEqual(['raised FUNCTION_HELD shop/card', 'raised HOLD_OVERDUE shop/card'])
})

test('a hold below a stop stays an alarm, and is told again by nobody', async () => {
  await on.needle(['hold', 'shop/card', '--reason', 'because', ...on.operator])
  expect(await news()).toEqual(['raised FUNCTION_HELD shop/card'])
  await order('stop', 'shop/card')
  expect(await news()).toEqual(['raised FUNCTION_STOPPED shop/card'])
  expect(await readAlarms()).toContain('--hold --reason "…" ends it, and the stop over it')
  await order('resume', 'shop/card')
  expect(await news()).toEqual(['resolved FUNCTION_STOPPED shop/card'])
  await order('clear', 'shop/card', '--hold')
  expect(await news()).toEqual(['resolved FUNCTION_HELD shop/card'])
})

describe('a manifest.json', () => {
  test('that nobody accepts is told once it has been so for a minute', async () => {
    await on.store.delete(objectKey.manifest('production'))
    expect(await alarmsIn(0)).toEqual([])
    const unseen = { code: 'MANIFEST_UNSEEN', severity: 'critical' }
    expect(await alarmsIn(2 * 60_000)).toMatchObject([unseen])
  })

  test('that is signed, but another one of its version, is told as a fork', async () => {
    const { newest } = (await readEnvironment(on.publisher.access)).state
    if (newest === null) throw new Error('nothing was published')
    const payload = { ...newest.manifest, reason: 'not what the history says' }
    const signers = [on.trust.signers.operator]
    const forked = await signDocument({ kind: 'manifest', payload }, signers)
    await on.store.put(objectKey.manifest('production'), forked)
    const text = expect.stringContaining('Find out who signed the second')
    expect(await alarmsIn(2 * 60_000)).toMatchObject([
      { code: 'FORKED', severity: 'critical', text },
    ])
  })
})

test('an altered history is an alarm, and ends none of those that were told', async () => {
  await order('stop', 'shop/quote')
  await alarms()
  await on.store.put(objectKey.history('production', 3), new TextEncoder().encode('{}'))
  expect(await news()).toEqual(['raised ENVIRONMENT_UNREADABLE null'])
  expect((await alarms()).alarms.map(({ code }) => code)).toEqual([
    'FUNCTION_STOPPED',
    'ENVIRONMENT_UNREADABLE',
  ])
  await on.store.delete(objectKey.history('production', 3))
  expect(await news()).toEqual(['resolved ENVIRONMENT_UNREADABLE null'])
})

test('a fork of the history is critical', () => {
  const fault = new RuntimeError('MANIFEST_FORKED', 'history/2.json does not follow')
  const found = findAlarms({
    environment: 'production',
    reading: null,
    fault,
    readings: [],
    steps: [],
    told: [],
    now: 0,
  })
  expect(found).toMatchObject([{ code: 'FORKED', severity: 'critical' }])
})

test('a store that goes away is an alarm while it is watched, not the end of the watch', async () => {
  const { access } = on.publisher
  let isAway = false
  const store: ArtifactStore = {
    ...on.store,
    get: async (key, options) => {
      if (isAway) throw new RuntimeError('STORE_UNAVAILABLE', 'away')
      return on.store.get(key, options)
    },
  }
  const look = (told = nothingTold) =>
    lookForAlarms({ access: { ...access, store }, told, webhook: null, now: Date.now() })
  const before = await look()
  isAway = true
  const during = await look(before.told)
  expect(during.notices).toMatchObject([
    { status: 'raised', alarm: { code: 'ENVIRONMENT_UNREADABLE' } },
  ])
  expect((await look(during.told)).notices).toEqual([])
  isAway = false
  expect((await look(during.told)).notices).toMatchObject([{ status: 'resolved' }])
})

/** A watch in JSON; `end` interrupts it and gives its exit code. */
function watch(location: readonly string[]) {
  const interrupt = new AbortController()
  const told = { stdout: '', stderr: '' }
  const watching = main(['alarms', '--watch', '--interval', '1', ...location, '--json'], {
    stdout: (text) => void (told.stdout += text),
    stderr: (text) => void (told.stderr += text),
    isTerminal: false,
    cwd: on.directory,
    env: {},
    signal: interrupt.signal,
  })
  return {
    told,
    codes: () => {
      const lines = told.stdout.trimEnd().split('\n')
      return lines.map((line) => noticeSchema.parse(JSON.parse(line)).alarm.code)
    },
    end: () => {
      interrupt.abort()
      return watching
    },
  }
}

test('--watch writes a line of JSON for each, and ends when it is interrupted', async () => {
  const watching = watch(on.location)
  await order('stop', 'shop/quote')
  await expect.poll(() => watching.told.stdout).toContain('\n')
  expect(await watching.end()).toBe(0)
  expect(watching.codes()).toEqual(['FUNCTION_STOPPED'])
})

test('--watch takes what a key signed that was added since it began', async () => {
  const watching = watch(on.location)
  await expect
    .poll(() => on.store.get(objectKey.alarms('production'), { maxBytes: 1e6 }))
    .toMatchObject({ status: 'found' })
  const rootKey = join(on.directory, '..', 'root.jwk.json')
  await writeFile(rootKey, JSON.stringify(on.trust.keys.root.privateJwk))
  const rotate = ['keys', 'rotate', '--add', 'operator', '--key', rootKey, '--out', '../new']
  expect((await on.needle([...rotate, ...on.location])).exitCode).toBe(0)
  const stop = ['stop', 'shop/quote', '--reason', 'x', '--wait', '0', ...on.location]
  const run = await on.needle([...stop, '--key', '../new/operator.jwk.json'])
  expect(run.exitCode).toBe(0)
  await expect.poll(() => watching.told.stdout, { timeout: 5000 }).toContain('\n')
  await watching.end()
  expect(watching.codes()).toEqual(['FUNCTION_STOPPED'])
})

test('--watch waits for a store that is away when it begins, which a single run does not', async () => {
  const [, , ...trust] = on.location
  const location = ['--store', 's3://acme/production?endpoint=http://127.0.0.1:9', ...trust]
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'of nobody')
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'of nobody')
  vi.stubEnv('AWS_REGION', 'eu-central-1')
  const watching = watch(location)
  await expect
    .poll(() => watching.told.stderr, { timeout: 5000 })
    .toMatch(/STORE_UNAVAILABLE[^]*Again in 1 s/)
  expect(await watching.end()).toBe(0)
  expect((await on.needle(['alarms', ...location])).exitCode).toBe(3)
})

test('people read what is so, what is new and what is over', async () => {
  await order('stop', 'shop/quote')
  expect(await readAlarms()).toMatch(
    /^NEW +critical +FUNCTION_STOPPED +\S+ +shop\/quote: stopped by Bo/,
  )
  expect(await readAlarms()).toMatch(/^ +critical +FUNCTION_STOPPED/)
  await order('resume', 'shop/quote')
  expect(await readAlarms()).toMatch(
    /RESOLVED {2}critical {2}FUNCTION_STOPPED.*\nNo alarm in production\n$/,
  )
})

test('a webhook without a secret is refused before anything is told', async () => {
  await order('stop', 'shop/quote')
  const run = await on.needle(['alarms', '--webhook', 'http://127.0.0.1:9', ...on.location])
  expect([run.exitCode, run.stderr]).toEqual([2, expect.stringContaining('NEEDLE_WEBHOOK_SECRET')])
  expect(await news()).toEqual(['raised FUNCTION_STOPPED shop/quote'])
})

test('what was told is a damaged record: it is told again', async () => {
  await order('stop', 'shop/quote')
  await alarms()
  await on.store.put(objectKey.alarms('production'), new TextEncoder().encode('{"specVersion":2}'))
  expect(await news()).toEqual(['raised FUNCTION_STOPPED shop/quote'])
})

describe('the configuration', () => {
  test('names the webhook of an environment', async () => {
    await using receiver = await startReceiver(secret)
    await configure({ webhook: receiver.url })
    await order('stop', 'shop/quote')
    expect((await on.needle(['alarms'], env)).exitCode).toBe(0)
    expect(receiver.received).toMatchObject([
      { isGenuine: true, body: { data: { code: 'FUNCTION_STOPPED' } } },
    ])
  })

  test('takes an http address and nothing else', async () => {
    await configure({ webhook: 'mailto:ops@acme.test', pager: true })
    const { exitCode, stderr } = await on.needle(['alarms'], env)
    expect(exitCode).toBe(2)
    expect(stderr).toContain('environments.production.alarms.webhook: use an http(s) address')
    expect(stderr).toContain('environments.production.alarms.pager: no such key')
  })
})
