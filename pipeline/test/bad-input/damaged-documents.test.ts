import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { objectKey, sizeLimit } from '@needle-faas/runtime/manifest'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { CommandRun } from '../author/run-command.ts'
import {
  answerOf,
  createLiveEnvironment,
  createStranger,
  type LiveEnvironment,
  readObjects,
} from './live-environment.ts'

// Builds and Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

const manifestKey = objectKey.manifest('production')
const entryKey = objectKey.history('production', 2)
const nextBuild = ['publish', '--build', '.needle/build-3']

let on: LiveEnvironment
let cacheDirectory: string
beforeAll(async () => {
  on = await createLiveEnvironment()
  cacheDirectory = await mkdtemp(join(tmpdir(), 'needle-cache-'))
})
afterAll(async () => {
  await on[Symbol.asyncDispose]()
  await rm(cacheDirectory, { recursive: true })
})

beforeEach(() => on.startAfresh())

async function read(key: string): Promise<Buffer> {
  const found = await on.store.get(key, { maxBytes: sizeLimit.sourceMapBytes })
  if (found.status !== 'found') throw new Error(`no ${key}`)
  return Buffer.from(found.bytes)
}

type Damage = (key: string) => Promise<unknown>

const missing: Damage = (key) => on.store.delete(key)
const truncated: Damage = async (key) => {
  const bytes = await read(key)
  await on.store.put(key, bytes.subarray(0, bytes.length >> 1))
}
const altered: Damage = async (key) => {
  const bytes = await read(key)
  bytes[50] = (bytes[50] ?? 0) ^ 1
  await on.store.put(key, bytes)
}
const oversized: Damage = (key) => on.store.put(key, Buffer.alloc(sizeLimit.artifactBytes + 1, ' '))

/** The payload of a signed document changed under its signature. */
const forged: Damage = async (key) => {
  const jws: unknown = JSON.parse((await read(key)).toString())
  if (typeof jws !== 'object' || jws === null || !('payload' in jws)) throw new Error('no JWS')
  const payload = Buffer.from(String(jws.payload), 'base64url').toString().replace('Card', 'Cord')
  const changed = { ...jws, payload: Buffer.from(payload).toString('base64url') }
  await on.store.put(key, Buffer.from(JSON.stringify(changed)))
}
const unsigned: Damage = (key) => on.store.put(key, Buffer.from(JSON.stringify(on.manifest)))
const ofStranger: Damage = async (key) =>
  on.store.put(key, await on.forge({}, await createStranger()))
const ofWrongRole: Damage = async (key) =>
  on.store.put(key, await on.forge({}, await on.signer('preview')))
const ofOtherEnvironment: Damage = async (key) =>
  on.store.put(key, await on.forge({ environment: 'staging' }, await on.signer('release')))
const older: Damage = async (key) =>
  on.store.put(key, await read(objectKey.history('production', 1)))
const fork: Damage = async (key) =>
  on.store.put(key, await on.forge({ publishId: 'another-publish' }, await on.signer('release')))

/** By what is wrong with it: the code it is refused with. */
const damagesOfSigned: readonly [string, string, Damage][] = [
  ['truncated', 'DOCUMENT_MALFORMED', truncated],
  ['altered', 'SIGNATURE_INVALID', forged],
  ['oversized', 'DOCUMENT_TOO_LARGE', oversized],
  ['unsigned', 'DOCUMENT_UNSIGNED', unsigned],
  ['signed by a stranger', 'SIGNER_UNKNOWN', ofStranger],
  ['signed in the wrong role', 'SIGNER_WRONG_ROLE', ofWrongRole],
  ['of another environment', 'MANIFEST_WRONG_ENVIRONMENT', ofOtherEnvironment],
]
const damagesOfNamed: readonly [string, string, Damage][] = [
  ['missing', 'OBJECT_MISSING', missing],
  ['truncated', 'OBJECT_SIZE_MISMATCH', truncated],
  ['altered', 'OBJECT_DIGEST_MISMATCH', altered],
  ['oversized', 'OBJECT_SIZE_MISMATCH', oversized],
]

/** The command a message tells to run, without `needle`, with something for a reason. */
function commandIn({ stdout }: CommandRun): string[] {
  const command = /needle (refresh [^"]*)"…"/.exec(stdout)?.[1] ?? ''
  return [...command.trim().split(' '), 'as doctor says']
}

describe('a manifest.json', () => {
  test.each<[string, string, Damage]>([
    ['missing', 'MANIFEST_MISSING', missing],
    ...damagesOfSigned,
    ['older', 'MANIFEST_OLDER', older],
    ['a fork', 'MANIFEST_FORKED', fork],
  ])('that is %s is refused with %s, and put right as doctor says', async (which, code, damage) => {
    await damage(manifestKey)
    await on.bff.needle.refresh()
    expect(await on.answer()).toEqual(answerOf(2))
    expect(on.bff.needle.status().refusal).toMatchObject({
      code,
      message: expect.stringMatching(/manifest\.json|version/),
    })

    const [status, doctor] = await Promise.all([on.needle(['status']), on.needle(['doctor'])])
    expect(status.stdout).toContain(`${code}: ${manifestKey}`)
    // Behind is what a publisher between its last two writes leaves.
    expect(status.exitCode).toBe(which === 'older' ? 0 : 1)
    expect(doctor.exitCode).toBe(1)
    expect(doctor.stdout).toContain(code)

    const repaired = await on.needle(commandIn(doctor))
    expect(repaired.exitCode).toBe(0)
    expect(await published()).toEqual(answerOf(3))
    expect(on.bff.needle.status().refusal).toBeNull()
  })
})

/** Both refuse with this code and change nothing; the doctor's remedy is among `remedies`. */
async function expectRefusal(code: string, key: string, remedy: string): Promise<void> {
  const before = await readObjects(on.store)
  const [doctor, ...runs] = await Promise.all([
    on.needle(['doctor']),
    on.needle(['status']),
    on.needle(nextBuild),
  ])
  for (const run of runs) {
    expect(run.stderr).toContain(`${code}: ${key}`)
    expect(run.stderr).toContain('needle doctor')
    expect(run.exitCode).toBe(1)
  }
  expect(doctor.stdout).toContain(`${code}: ${key}`)
  expect(doctor.stdout).toContain(remedy)
  expect(doctor.exitCode).toBe(1)
  expect(await readObjects(on.store)).toEqual(before)
}

/** What the BFF answers after the waiting build was published. */
async function published(): Promise<unknown> {
  const run = await on.needle(nextBuild)
  if (run.exitCode !== 0) throw new Error(run.stderr)
  await on.bff.needle.refresh()
  return on.answer()
}

describe('an entry of the history', () => {
  test.each<[string, string, Damage]>([
    ...damagesOfSigned,
    ['of another version', 'DOCUMENT_MALFORMED', older],
  ])('that is %s stops publishing with %s until the copy is put there', async (_, code, damage) => {
    await damage(entryKey)
    await expectRefusal(code, entryKey, `If manifest.json holds version 2, copy it there`)
    expect((await on.needle(['history'])).stdout).toContain(`2  ${code}`)
    await on.bff.needle.refresh()
    expect(await on.answer()).toEqual(answerOf(2))

    await on.store.put(entryKey, await read(manifestKey))
    expect(await published()).toEqual(answerOf(3))
  })

  test('that a stranger put in the way stops publishing until it is deleted', async () => {
    const key = objectKey.history('production', 3)
    await on.store.put(key, await on.forge({ version: 3 }, await createStranger()))
    await expectRefusal('SIGNER_UNKNOWN', key, `3 never served: delete ${key}`)
    await on.store.delete(key)
    expect(await published()).toEqual(answerOf(3))
  })

  test('that does not follow the one before it is a fork', async () => {
    const key = objectKey.history('production', 3)
    const changes = { version: 3, previous: on.manifest.previous }
    await on.store.put(key, await on.forge(changes, await on.signer('release')))
    await expectRefusal('MANIFEST_FORKED', key, `delete ${key}`)
    await on.store.delete(key)
    expect(await published()).toEqual(answerOf(3))
  })

  test('that is missing is made up for by manifest.json', async () => {
    await missing(entryKey)
    expect((await on.needle(['doctor'])).exitCode).toBe(0)
    expect(await published()).toEqual(answerOf(3))
  })
})

describe('a group document', () => {
  test.each(damagesOfNamed)(
    'that is %s stops publishing with %s until a BFF gives it back',
    async (_, code, damage) => {
      const keeping = await on.startBff({ cacheDirectory })
      const digest = on.manifest.groups['shop']?.digest
      if (digest === undefined) throw new Error('no group')
      const key = objectKey.group('production', digest)
      await damage(key)
      await expectRefusal(code, key, 'the cache directory of a BFF')
      await on.bff.needle.refresh()
      expect(await on.answer()).toEqual(answerOf(2))

      await on.store.put(key, await readFile(join(cacheDirectory, 'production', key)))
      await keeping.close()
      expect(await published()).toEqual(answerOf(3))
    },
  )
})

describe.each(['release', 'artifact'] as const)('the %s of a publish', (kind) => {
  test.each(damagesOfNamed)(
    'that is %s is refused with %s and the last good serves',
    async (_, code, damage) => {
      const before = await readObjects(on.store)
      await on.needle(nextBuild)
      const after = [...(await readObjects(on.store)).keys()].filter((key) => !before.has(key))
      const folder = kind === 'release' ? 'releases/' : 'artifacts/'
      const key = after.find((each) => each.startsWith(folder) && !each.endsWith('.map')) ?? ''
      await damage(key)

      await on.bff.needle.refresh()
      expect(await on.answer()).toEqual(answerOf(2))
      expect(on.bff.needle.status().functions).toMatchObject([
        { function: 'shop/card', refusals: [{ code, message: expect.stringContaining(key) }] },
      ])
      const doctor = await on.needle(['doctor'])
      expect(doctor.exitCode).toBe(1)
      expect(doctor.stdout).toContain(`${code}: ${key}`)
      expect(doctor.stdout).toContain('publish a change of the function')
    },
  )
})

test('a trust root that nobody signed stops everything that would believe it, and no BFF', async () => {
  const key = objectKey.trustRoot(2)
  await on.store.put(key, Buffer.from('{}'))
  await expectRefusal('DOCUMENT_MALFORMED', key, `delete it if nobody rotated keys`)
  await on.bff.needle.refresh()
  expect(await on.answer()).toEqual(answerOf(2))
  await on.store.delete(key)
  expect(await published()).toEqual(answerOf(3))
})
