import {
  digestOf,
  objectKey,
  type Rollout,
  shortDigest,
  signDocument,
} from '@needle-faas/runtime/manifest'
import { beforeAll, afterAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { readEnvironment } from '../../src/environment-state/read-environment.ts'
import { planAbort } from '../../src/plan/plan-abort.ts'
import { changeEnvironment } from '../../src/publish/change-environment.ts'
import { createTestRelease } from '../publisher/environment-under-test.ts'
import {
  codeOf,
  createOperatedEnvironment,
  type OperatedEnvironment,
} from './operated-environment.ts'

const steps = [
  { weightPercent: 20, bakeMs: 0 },
  { weightPercent: 50, bakeMs: 0 },
]

const manifestsSchema = z.array(
  z.object({
    version: z.number(),
    actor: z.string(),
    events: z.array(z.object({ kind: z.string().optional(), text: z.string() })),
    decisions: z.array(z.object({ kind: z.string(), evidence: z.unknown() })),
  }),
)
const releaseSchema = z.object({
  kind: z.literal('release'),
  origin: z.object({
    revision: z.string(),
    provenance: z.object({ author: z.string(), commit: z.string() }),
  }),
  now: z.object({
    serves: z.string(),
    weightPercent: z.number(),
    quarantine: z.object({ reason: z.string() }).nullable(),
    hold: z.object({ by: z.string() }).nullable(),
    instances: z.array(z.object({ instance: z.string() })),
  }),
  history: manifestsSchema,
  unknown: z.array(z.string()),
})

const evidence = {
  stable: { calls: 900, faults: 1, slow: 0 },
  canary: { calls: 100, faults: 0, slow: 2 },
  live: 3,
  voted: 2,
}

let on: OperatedEnvironment
beforeAll(async () => {
  on = await createOperatedEnvironment()
  await on.publish({ 'shop/card': 'card 1', 'shop/quote': 'quote' }) // 1
  await on.publish({ 'shop/card': 'card 2', 'shop/quote': 'quote' }, { canarySteps: steps }) // 2
  await stepCanary() // 3
  await changeEnvironment(on.publisher, async (state) => ({
    plan: planAbort({ state, function: 'shop/card', actor: 'Bo', reason: '500s', now: Date.now() }),
    uploads: [],
  })) // 4
  await on.publish({ 'shop/card': 'card 3', 'shop/quote': 'quote' }) // 5
  await order('rollback', 'shop/card', '--reason', 'slow') // 6
  await order('stop', 'shop/quote', '--reason', 'floods the ERP') // 7
  await on.startInstance('bff-1')
})
afterAll(() => on[Symbol.asyncDispose]())

async function order(...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await on.needle([...args, '--wait', '0', ...on.operator])
  if (exitCode !== 0) throw new Error(stdout + stderr)
}

/** The next step as a controller signs it: with decisions, one of them of a shape nobody knows yet. */
async function stepCanary(): Promise<void> {
  const { state } = await readEnvironment(on.publisher.access)
  const group = state.groups['shop']
  const card = group?.functions['card']
  if (state.newest === null || group === undefined || !card?.rollout) throw new Error('no rollout')
  const rollout: Rollout = { ...card.rollout, step: 1, weightPercent: 50 }
  const document = { ...group, functions: { ...group.functions, card: { ...card, rollout } } }
  const bytes = new TextEncoder().encode(JSON.stringify(document))
  const ref = { digest: digestOf(bytes), sizeBytes: bytes.byteLength }
  await on.store.put(objectKey.group('production', ref.digest), bytes)
  const decided: object = {
    decisions: [
      {
        function: 'shop/card',
        kind: 'step',
        verdict: 'successful',
        text: 'no worse than stable',
        evidence,
      },
      { function: 'shop/quote', kind: 'muse', text: 'of a later Needle', confidence: 1 },
      'not a decision',
    ],
  }
  const payload = {
    ...state.newest.manifest,
    version: 3,
    previous: state.newest.digest,
    actor: 'controller',
    reason: 'next step',
    groups: { shop: ref },
    ...decided,
  }
  const signed = await signDocument({ kind: 'manifest', payload }, [on.trust.signers.operator])
  await on.store.put(objectKey.history('production', 3), signed)
  await on.store.put(objectKey.manifest('production'), signed)
}

async function revisionOf(text: string): Promise<string> {
  const { ref } = await createTestRelease(on.trust, 'shop/card', codeOf(text))
  return `shop/card@${shortDigest(ref.release)}`
}

async function trace(typed: string) {
  const { exitCode, stdout, json } = await on.needle(['trace', typed, ...on.location, '--json'])
  if (exitCode !== 0) throw new Error(stdout)
  return json()
}

describe('a release', () => {
  test('is told from its start as a canary to its abort, with who, why and the evidence', async () => {
    const told = releaseSchema.parse(await trace(await revisionOf('card 2')))
    expect(told.origin.provenance).toEqual({
      author: 'Ada <ada@example.com>',
      commit: 'a'.repeat(40),
    })
    const history = told.history.map(({ version, actor, events }) => ({
      version,
      actor,
      kinds: events.map(({ kind }) => kind),
    }))
    expect(history).toEqual([
      { version: 4, actor: 'Bo', kinds: ['aborted'] },
      { version: 3, actor: 'controller', kinds: ['canary-stepped'] },
      { version: 2, actor: 'Ann', kinds: ['canary-started'] },
    ])
    expect(told.history[1]?.decisions).toEqual([{ kind: 'step', evidence }])
    expect(told.now).toMatchObject({ serves: 'nothing', quarantine: { reason: '500s' } })
    expect(told.now.instances).toEqual([])
  })

  test('that serves tells its holds and the instances it runs on', async () => {
    const told = releaseSchema.parse(await trace(await revisionOf('card 1')))
    expect(told.now).toMatchObject({
      serves: 'stable',
      weightPercent: 100,
      hold: { by: 'Bo' },
      instances: [{ instance: 'bff-1' }],
    })
    expect(told.history.map(({ events }) => events.map(({ kind }) => kind))).toEqual([
      ['rolled-back-to', 'held'],
      ['replaced'],
      ['held'],
      ['added'],
    ])
  })

  test('that was rolled back says so', async () => {
    const told = releaseSchema.parse(await trace(await revisionOf('card 3')))
    expect(told.history.map(({ events }) => events.map(({ kind }) => kind))).toEqual([
      ['rolled-back'],
      ['updated'],
    ])
  })

  test('is found by its digest, the first digits of it, its artifact and its pair', async () => {
    const { ref } = await createTestRelease(on.trust, 'shop/card', codeOf('card 2'))
    const pair = `${shortDigest(ref.artifact)}+${shortDigest(ref.settings)}`
    for (const typed of [ref.release, shortDigest(ref.release), ref.artifact, pair]) {
      expect(releaseSchema.parse(await trace(typed)).origin.revision).toBe(
        await revisionOf('card 2'),
      )
    }
  })

  test('is told in words, and what only Git and GitHub know is said to be absent', async () => {
    const { stdout } = await on.needle(['trace', await revisionOf('card 2'), ...on.location])
    expect(stdout).toMatch(/author +Ada <ada@example.com>/)
    expect(stdout).toMatch(/now +serves nobody/)
    expect(stdout).toMatch(/quarantined +\S+ by Bo since \S+: 500s/)
    expect(stdout).toContain('went from 20 % to 50 %')
    expect(stdout).toContain(
      'decided: shop/card step successful: no worse than stable · canary 100 calls, 0 failed, 2 slow · stable 900 calls, 1 failed, 0 slow · 2 of 3 instances',
    )
    expect(stdout).toContain('What commits say: not in a Git repository')
  })
})

test('a function is told with its releases, its hold and every change', async () => {
  const { stdout } = await on.needle(['trace', 'shop/quote', ...on.location])
  expect(stdout).toMatch(/STOPPED +by Bo since \S+: floods the ERP/)
  expect(stdout).toMatch(/7 {2}\S+ {2}Bo: floods the ERP/)
  const card = await trace('shop/card')
  expect(card).toMatchObject({
    kind: 'function',
    quarantine: [{ reason: '500s' }, { reason: 'slow' }],
    instances: [{ instance: 'bff-1', state: 'current' }],
  })
  expect(z.object({ releases: z.array(z.unknown()) }).parse(card).releases).toHaveLength(3)
})

test('a manifest is told with its changes, its decisions and who runs it', async () => {
  expect(await trace('7')).toMatchObject({
    kind: 'manifest',
    isNewest: true,
    manifest: { version: 7, events: [{ function: 'shop/quote', text: 'stopped' }] },
    instances: [{ instance: 'bff-1' }],
  })
  const { stdout } = await on.needle(['trace', 'v3', ...on.location])
  expect(stdout).toContain('by controller: next step')
  expect(stdout).toContain('decided: shop/card step successful')
  expect(stdout).toContain('decided: shop/quote muse: of a later Needle')
})

test('history shows decisions, those of the function that was asked for', async () => {
  const { stdout } = await on.needle(['history', 'shop/card', ...on.location])
  expect(stdout).toContain('decided: shop/card step successful: no worse than stable')
  expect(stdout).not.toContain('muse')
})

test('history of a function that is not there is refused with those that are, the nearest first', async () => {
  const { exitCode, stdout, stderr } = await on.needle(['history', 'shop/crad', ...on.location])
  expect([exitCode, stdout]).toEqual([1, ''])
  expect(stderr).toContain('FUNCTION_UNKNOWN: No function shop/crad in the newest 7 manifests')
  expect(stderr).toContain('There are: shop/card, shop/quote. --limit')
})

test('history of a function that did not change lately says so, and is no error', async () => {
  const args = ['history', 'shop/card', '--limit', '1', ...on.location]
  const { exitCode, stdout } = await on.needle(args)
  expect([exitCode, stdout]).toEqual([0, expect.stringContaining('No change of shop/card in')])
})

test.each([
  ['an unknown function', 'shop/crad', ['shop/card', 'shop/quote', 'v1–v7']],
  ['an unknown release of a known function', 'shop/card@ffffffffffff', ['shop/card@']],
  ['a version to come', '99', ['v1–v7']],
  ['nothing', '', ['shop/card']],
  ['prose', 'the bad one', ['shop/card']],
])('%s is answered with what there is', async (_, typed, candidates) => {
  const { exitCode, stderr } = await on.needle(['trace', typed, ...on.location])
  expect(exitCode).toBe(1)
  expect(stderr).toContain('TRACE_SUBJECT')
  for (const candidate of candidates) expect(stderr).toContain(candidate)
})

test('digits that two releases begin with are answered with both', async () => {
  const own = await createOperatedEnvironment()
  await using _ = own
  await own.publish({ 'shop/card': 'same', 'shop/quote': 'same' })
  const { ref } = await createTestRelease(own.trust, 'shop/card', codeOf('same'))
  const run = await own.needle(['trace', ref.artifact, ...own.location, '--json'])
  expect(run.exitCode).toBe(1)
  const schema = z.object({
    error: z.object({ details: z.object({ candidates: z.array(z.string()) }) }),
  })
  expect(
    schema.parse(run.json()).error.details.candidates.map((each) => each.split('@')[0]),
  ).toEqual(['shop/card', 'shop/quote'])
})
