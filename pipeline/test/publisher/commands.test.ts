import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  digestHex,
  objectKey,
  parseBuildRecord,
  type Release,
  type ReleaseRef,
  sizeLimit,
} from '@needle-faas/runtime/manifest'
import { createVerifiedReader, openStore } from '@needle-faas/runtime/store'
import * as z from 'zod'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { readBuildDirectory } from '../../src/build/build-directory.ts'
import { openTrust } from '../../src/keys/open-trust.ts'
import { createPublishedRepository, type PublishedRepository } from './published-repository.ts'

// Many Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const statusSchema = z.object({
  manifest: z.object({ version: z.number(), actor: z.string(), reason: z.string() }),
  functions: z.record(
    z.string(),
    z.object({
      stable: z.object({ release: z.string() }),
      rollout: z.object({ weightPercent: z.number() }).nullable(),
      hold: z.object({ mode: z.string(), by: z.string() }).nullable(),
    }),
  ),
  quarantine: z.array(z.object({ pair: z.string() })),
})

const resultSchema = z.object({
  written: z.boolean(),
  version: z.number().nullable(),
  changes: z.array(z.object({ kind: z.string(), function: z.string().nullable() })),
  kept: z.array(z.object({ function: z.string() })),
  refusals: z.array(z.object({ code: z.string(), message: z.string() })),
})

const errorSchema = z.object({ error: z.object({ code: z.string(), message: z.string() }) })

async function status(on: PublishedRepository): Promise<z.infer<typeof statusSchema>> {
  return statusSchema.parse((await on.needle(['status'])).json)
}

describe('from a first publish to a revert', () => {
  let on: PublishedRepository
  beforeAll(async () => {
    on = await createPublishedRepository()
  })
  afterAll(() => on[Symbol.asyncDispose]())

  const first = { 'shop/card': 'card 1', 'shop/quote': 'quote 1' }

  test('publish signs releases with where their code came from', async () => {
    const result = resultSchema.parse((await on.publish(first, '--actor', 'Ann')).json)
    expect(result).toMatchObject({ written: true, version: 1 })
    const { release } = await readStable(on, 'shop/card')
    expect(release.provenance).toMatchObject({
      repository: null,
      author: 'Ada Author <ada@example.test>',
      pullRequest: null,
      build: null,
    })
    expect((await status(on)).manifest).toMatchObject({ actor: 'Ann', reason: 'Change' })
  })

  test('the same commit again writes nothing and succeeds', async () => {
    const outcome = await on.needle(['publish'])
    expect(outcome.exitCode).toBe(0)
    expect(resultSchema.parse(outcome.json)).toMatchObject({ written: false, version: 1 })
  })

  test('a build record says what need not be built again', async () => {
    const { release, ref } = await readStable(on, 'shop/card')
    const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
    const record = await store.get(objectKey.build(release.inputs), {
      maxBytes: sizeLimit.buildRecordBytes,
    })
    if (record.status !== 'found') throw new Error('no record')
    expect(parseBuildRecord(record.bytes).release).toEqual(ref)
  })

  test('a canary is started, promoted, and stays out of the way of a revert', async () => {
    await on.publish({ ...first, 'shop/card': 'card 2' }, '--canary', '20')
    expect((await status(on)).functions['shop/card']?.rollout?.weightPercent).toBe(20)
    const promoted = await on.needle(['promote', 'shop/card', '--reason', 'looks good'])
    expect(promoted.exitCode).toBe(0)
    expect((await status(on)).functions['shop/card']?.rollout).toBeNull()

    const reverted = resultSchema.parse((await on.publish(first, '--canary', '20')).json)
    expect(reverted.changes).toMatchObject([{ kind: 'returned', function: 'shop/card' }])
  })

  test('an operator rolls back without the repository; merges are held until the fix', async () => {
    await on.publish({ ...first, 'shop/card': 'card bad' })
    const operatorKey = await readFile(
      join(on.repository.directory, '.needle/keys/operator.jwk.json'),
      'utf8',
    )
    const rolled = await on.needle(['rollback', 'shop/card', '--reason', '500s', '--actor', 'Bo'], {
      NEEDLE_OPERATOR_KEY: operatorKey,
      NEEDLE_RELEASE_KEY: '',
    })
    expect(rolled.exitCode).toBe(0)
    const { functions, quarantine } = await status(on)
    expect(functions['shop/card']?.hold).toMatchObject({ mode: 'revision', by: 'Bo' })
    expect(quarantine).toHaveLength(1)

    await on.build({ ...first, 'shop/card': 'card bad', 'shop/quote': 'quote 2' })
    const unrelated = await on.needle(['publish'])
    expect(unrelated.exitCode).toBe(0)
    expect(resultSchema.parse(unrelated.json)).toMatchObject({
      kept: [{ function: 'shop/card' }],
      changes: [{ function: 'shop/quote' }],
    })

    const fixed = await on.publish({ 'shop/card': 'card fixed', 'shop/quote': 'quote 2' })
    expect(resultSchema.parse(fixed.json).kept).toEqual([])
    expect((await status(on)).functions['shop/card']?.hold).toBeNull()
  })

  test('the bad pair landing again fails and the rest goes live', async () => {
    await on.build({ 'shop/card': 'card bad', 'shop/quote': 'quote 3' })
    const outcome = await on.needle(['publish'])
    expect(outcome.exitCode).toBe(1)
    const result = resultSchema.parse(outcome.json)
    expect(result.refusals).toMatchObject([{ code: 'PAIR_QUARANTINED' }])
    expect(result.changes).toMatchObject([{ function: 'shop/quote' }])

    const command = /needle (clear .*?) --reason/.exec(result.refusals[0]?.message ?? '')
    const cleared = await on.needle([
      ...(command?.[1] ?? '').split(' '),
      '--reason',
      'known harmless',
    ])
    expect(cleared.exitCode).toBe(0)
    expect((await on.needle(['publish'])).exitCode).toBe(0)
  })

  test('a stopped function is shown and starts again when cleared', async () => {
    await on.needle(['hold', 'shop/quote', '--stop', '--reason', 'floods the ERP'])
    expect((await status(on)).functions['shop/quote']?.hold?.mode).toBe('stopped')
    await on.needle(['clear', 'shop/quote', '--hold', '--reason', 'calm'])
    expect((await status(on)).functions['shop/quote']?.hold).toBeNull()
  })

  test('history tells who changed one function, when and why', async () => {
    const { json } = await on.needle(['history', 'shop/quote'])
    const by = {
      issuedAt: expect.stringMatching(/^20\d\d-/),
      actor: 'Ada Author <ada@example.test>',
      commit: await on.repository.git.revparse(['HEAD']),
    }
    expect(z.array(z.unknown()).parse(json).slice(0, 2)).toMatchObject([
      { reason: 'calm', ...by },
      { reason: 'floods the ERP', ...by },
    ])
  })

  test('an old commit cannot be published by running its job again', async () => {
    const log = await on.repository.git.log()
    const old = log.all.at(-2)?.hash ?? ''
    await on.repository.git.raw(['checkout', '-q', old])
    await on.build(first, { manifest: { commit: old }, directory: '.needle/old' })
    const outcome = await on.needle(['publish', '--build', '.needle/old'])
    expect(outcome.exitCode).toBe(1)
    expect(resultSchema.parse(outcome.json).refusals).toMatchObject([{ code: 'COMMIT_OLDER' }])
    const unreasoned = await on.needle(['publish', '--build', '.needle/old', '--allow-older'])
    expect(unreasoned.exitCode).toBe(2)
    await on.repository.git.raw(['checkout', '-q', 'main'])
  })

  test('refresh moves the expiry on and changes nothing else', async () => {
    const before = await status(on)
    const outcome = await on.needle(['refresh', '--reason', 'scheduled'])
    expect(outcome.exitCode).toBe(0)
    const after = await status(on)
    expect(after.manifest.version).toBe(before.manifest.version + 1)
    expect(after.functions).toEqual(before.functions)
  })

  test('a release that served long ago can be rolled back to by its digits', async () => {
    const { json } = await on.needle(['history', 'shop/quote', '--limit', '100'])
    const added = z
      .array(z.object({ changes: z.array(z.object({ text: z.string(), function: z.string() })) }))
      .parse(json)
      .at(-1)
      ?.changes.find((change) => change.function === 'shop/quote')
    const release = /added at ([0-9a-f]+)/.exec(added?.text ?? '')?.[1] ?? ''
    const outcome = await on.needle(['rollback', 'shop/quote', '--to', release, '--reason', 'ERP'])
    expect(outcome.exitCode).toBe(0)
    const { stable } = (await status(on)).functions['shop/quote'] ?? {}
    expect(stable?.release).toContain(release)
  })

  test('doctor does not call it broken that people on call have no repository', async () => {
    const outcome = await on.needle(['doctor', '--repository', import.meta.dirname])
    expect(outcome.stdout).toContain('not in a repository; enough for orders')
    expect(outcome.exitCode).toBe(0)
  })

  test('clear asks what to clear before it signs in', async () => {
    const { exitCode, stdout } = await on.needle(['clear', 'shop/quote', '--reason', 'calm'])
    expect([exitCode, stdout]).toEqual([2, expect.stringContaining('--quarantine <pair>')])
  })

  test('doctor finds nothing broken here, and says what is when it is', async () => {
    expect((await on.needle(['doctor'])).exitCode).toBe(0)
    const { ref } = await readStable(on, 'shop/card')
    const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
    await store.put(objectKey.artifact(ref.artifact), new Uint8Array([1]))
    const outcome = await on.needle(['doctor'])
    expect(outcome.exitCode).toBe(1)
    expect(outcome.stdout).toContain(digestHex(ref.artifact))
  })
})

test.each([
  ['dirty', { dirty: true }, 'WORK_TREE_DIRTY', 1],
  ['made for another environment', { environment: 'staging' }, 'USAGE_INVALID', 2],
  ['a preview', { scope: 'preview' as const, environment: null }, 'USAGE_INVALID', 2],
  ['of affected functions only', { complete: false }, 'USAGE_INVALID', 2],
  ['of a commit nobody has', { commit: 'f'.repeat(40) }, 'COMMIT_UNKNOWN', 1],
])('a build that is %s is refused', async (_, manifest, code, exitCode) => {
  await using on = await createPublishedRepository()
  await on.build({ 'shop/card': 'card' }, { manifest })
  const outcome = await on.needle(['publish'])
  expect(errorSchema.parse(outcome.json).error.code).toBe(code)
  expect(outcome.exitCode).toBe(exitCode)
})

test('a build that was altered after it was made is refused', async () => {
  await using on = await createPublishedRepository()
  await on.build({ 'shop/card': 'card' })
  const directory = join(on.repository.directory, '.needle/build')
  const build = await readBuildDirectory(directory)
  const [entry] = build.manifest.functions
  if (entry?.status !== 'built') throw new Error('not built')
  await writeFile(join(directory, entry.artifact.file), 'stolen')
  const outcome = await on.needle(['publish'])
  expect(errorSchema.parse(outcome.json).error.code).toBe('BUILD_DIRECTORY_ALTERED')
})

test('a release the build claims to have found is believed only when its inputs are those it claims', async () => {
  await using on = await createPublishedRepository()
  await on.publish({ 'shop/card': 'card 1' })
  const { ref, release } = await readStable(on, 'shop/card')
  await on.publish({ 'shop/card': 'card 2' })
  await on.publish({ 'shop/card': 'card 3' })
  await on.publish({ 'shop/card': 'card 4' })
  const reused = { status: 'reused' as const, name: 'shop/card', release: ref }

  await on.build({}, { manifest: { functions: [{ ...reused, inputs: ref.artifact }] } })
  const lied = await on.needle(['publish'])
  expect(errorSchema.parse(lied.json).error.code).toBe('BUILD_DIRECTORY_ALTERED')

  await on.build({}, { manifest: { functions: [{ ...reused, inputs: release.inputs }] } })
  expect((await on.needle(['publish'])).exitCode).toBe(0)
  expect((await readStable(on, 'shop/card')).ref).toEqual(ref)
})

test('keys are private to their owner and never overwritten', async () => {
  await using on = await createPublishedRepository()
  const file = join(on.repository.directory, '.needle/keys/root.jwk.json')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  const before = await readFile(file, 'utf8')
  const again = await on.needle(['keys', 'init'])
  expect(errorSchema.parse(again.json).error.code).toBe('KEY_FILE_EXISTS')
  expect(await readFile(file, 'utf8')).toBe(before)
})

test.each([
  ['missing', '', 'KEY_MISSING'],
  ['no JSON', 'secret-text', 'KEY_INVALID'],
  ['a public key', '{"kty":"OKP","crv":"Ed25519","x":"AAAA"}', 'KEY_INVALID'],
])('a signing key that is %s is refused without being shown', async (_, key, code) => {
  await using on = await createPublishedRepository()
  await on.build({ 'shop/card': 'card' })
  const outcome = await on.needle(['publish'], { NEEDLE_RELEASE_KEY: key })
  expect(errorSchema.parse(outcome.json).error.code).toBe(code)
  expect(outcome.stdout).not.toContain('secret-text')
})

test('an operator key publishes no code', async () => {
  await using on = await createPublishedRepository()
  await on.build({ 'shop/card': 'card' })
  const outcome = await on.needle(['publish', '--key', '.needle/keys/operator.jwk.json'])
  expect(errorSchema.parse(outcome.json).error.code).toBe('KEY_WRONG_ROLE')
})

test('the configuration, which is code, is not run beside a key', async () => {
  await using on = await createPublishedRepository()
  await on.repository.write({ 'functions/needle.config.ts': 'throw new Error("ran")\n' })
  const outcome = await on.needle(['status'], { NEEDLE_TRUST: '' })
  expect(errorSchema.parse(outcome.json).error).toMatchObject({ code: 'USAGE_INVALID' })
  expect(outcome.stdout).not.toContain('ran')
})

test('keys are rotated: added, taken over, then the old one taken away', async () => {
  await using on = await createPublishedRepository()
  await on.publish({ 'shop/card': 'card 1' })
  const root = ['--key', '.needle/keys/root.jwk.json']
  const oldKey = (await readRoot(on)).roles.release.keyIds[0] ?? ''

  const added = await on.needle(['keys', 'rotate', ...root, '--add', 'release', '--out', 'new'])
  expect(added.exitCode).toBe(0)
  const early = await on.needle(['keys', 'rotate', ...root, '--remove', oldKey])
  expect(errorSchema.parse(early.json).error.code).toBe('KEY_IN_USE')

  const newKey = ['--key', 'new/release.jwk.json']
  const taken = await on.needle(['refresh', ...newKey, '--releases', '--reason', 'new key'])
  expect(taken.exitCode).toBe(0)
  const removed = await on.needle(['keys', 'rotate', ...root, '--remove', oldKey])
  expect(removed.exitCode).toBe(0)
  expect((await readRoot(on)).version).toBe(3)

  await on.build({ 'shop/card': 'card 2' })
  const refused = await on.needle(['publish'])
  expect(errorSchema.parse(refused.json).error.code).toBe('KEY_WRONG_ROLE')
  expect((await on.needle(['publish', ...newKey])).exitCode).toBe(0)
  expect((await readStable(on, 'shop/card')).release.function).toBe('shop/card')
})

test('raising the epoch carries over into the next manifest', async () => {
  await using on = await createPublishedRepository()
  await on.publish({ 'shop/card': 'card 1' })
  const rotated = await on.needle([
    'keys',
    'rotate',
    '--raise-epoch',
    '--key',
    '.needle/keys/root.jwk.json',
  ])
  expect(rotated.exitCode).toBe(0)
  await on.needle(['refresh', '--reason', 'new epoch'])
  const { json } = await on.needle(['status'])
  expect(json).toMatchObject({ manifest: { epoch: 2, version: 2, rootVersion: 2 } })
})

async function readRoot(on: PublishedRepository) {
  const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
  return (await openTrust(store, on.env['NEEDLE_TRUST'] ?? '')).newest
}

async function readStable(
  on: PublishedRepository,
  name: string,
): Promise<{ ref: ReleaseRef; release: Release }> {
  const store = await openStore(on.env['NEEDLE_STORE'] ?? '')
  const environment = 'production'
  const reader = createVerifiedReader({ store, environment, root: await readRoot(on) })
  const manifest = await reader.manifest()
  if (manifest.status !== 'found') throw new Error('no manifest')
  const [group = '', own = ''] = name.split('/')
  const groupRef = manifest.document.groups[group]
  if (groupRef === undefined) throw new Error(`no group ${group}`)
  const ref = (await reader.group(group, groupRef)).functions[own]?.stable
  if (ref === undefined) throw new Error(`no function ${name}`)
  return { ref, release: (await reader.release(ref, name)).document }
}
