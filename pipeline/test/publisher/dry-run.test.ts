import { readFile, writeFile } from 'node:fs/promises'
import { join, matchesGlob } from 'node:path'
import { digestOf } from '@needle-faas/runtime/manifest'
import { simpleGit } from 'simple-git'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import type { BuildManifest } from '../../src/build/build-manifest.ts'
import { type CommandRun, runCommand } from '../author/run-command.ts'
import { fillStore, readStore } from '../bad-input/copy-store.ts'
import {
  cardAt,
  createLiveEnvironment,
  type LiveEnvironment,
  readObjects,
} from '../bad-input/live-environment.ts'
import { functionFiles } from '../repository.ts'

// Builds and Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

/** Serves card 3 and a price; card 2 is kept warm. So does each test begin. */
let on: LiveEnvironment
let published: string
let snapshot: Awaited<ReturnType<typeof readStore>>
let writes: string[] = []
let reads: string[] = []

beforeAll(async () => {
  on = await createLiveEnvironment()
  published = await on.repository.commit(functionFiles('shop/price'), 'Add a price')
  await on.deploy()
  snapshot = await readStore(on.store)
  on.s3.onWrite = (key) => void writes.push(key)
  on.s3.onRead = (key) => void reads.push(key)
})
afterAll(() => on[Symbol.asyncDispose]())
beforeEach(async () => {
  await on.repository.git.raw(['reset', '--quiet', '--hard', published])
  await fillStore(on.store, snapshot)
})

const priceAt = (n: number) =>
  functionFiles('shop/price', `export default async () => ({ price: ${n} })\n`)

async function needle(...args: string[]): Promise<void> {
  const { exitCode, stdout, stderr } = await on.needle(args)
  if (exitCode !== 0) throw new Error(stdout + stderr)
}

/** What the check of a pull request builds: the functions that differ from its base. */
async function buildChange(out = '.needle/change'): Promise<string> {
  await needle('build', '--base', 'HEAD~1', '--out', out)
  return out
}

const buildAll = (): Promise<void> => needle('build', '--out', '.needle/all')

interface DryRun extends CommandRun {
  /** Workflow commands among what it printed. */
  readonly annotations: readonly string[]
}

/** As the job of a pull request does it: without a key, with credentials that may only read. */
async function dryRun(build: string, ...more: string[]): Promise<DryRun> {
  const [before, { directory }] = [await readObjects(on.store), on.repository]
  const { NEEDLE_STORE = '', NEEDLE_TRUST = '' } = on.env
  const run = async (): Promise<CommandRun> =>
    runCommand(['publish', '--dry-run', '--build', join(directory, build), ...more], {
      cwd: directory,
      env: { NEEDLE_STORE, NEEDLE_TRUST, GITHUB_ACTIONS: 'true' },
    })
  writes = []
  reads = []
  const free = await run()
  expect(writes).toEqual([])
  expect(await readObjects(on.store)).toEqual(before)
  on.s3.fault = 'read-only'
  const reading = await run()
  on.s3.fault = 'none'
  // Standard error also says how long it took.
  expect([reading.exitCode, reading.stdout]).toEqual([free.exitCode, free.stdout])
  const lines = reading.stderr.split('\n')
  return { ...reading, annotations: lines.filter((line) => line.startsWith('::')) }
}

/** Card 3 is rolled back, and a revert merged: Git says card 2, and nobody holds it. */
async function revertCard(): Promise<void> {
  await needle('rollback', 'shop/card', '--reason', '500s, all of them', '--actor', 'Bo')
  await on.repository.commit(cardAt(2), 'Revert "Card 3"')
  await on.deploy()
}

describe('a dry run of a change that lands a quarantined pair again', () => {
  test('fails with the command that would clear it, and passes once that was run', async () => {
    await revertCard()
    await on.repository.commit(cardAt(3), 'Revert "Revert "Card 3""')
    const build = await buildChange()
    const refused = await dryRun(build)
    expect(refused.exitCode).toBe(1)
    expect(refused.stdout).toMatch(/PAIR_QUARANTINED: shop\/card .* by Bo .*500s, all of them/)
    expect(refused.annotations).toEqual([
      expect.stringMatching(
        /^::error file=functions\/shop\/card\/index\.ts,title=PAIR_QUARANTINED::.*needle clear shop\/card --quarantine/,
      ),
    ])

    const [, pair = ''] =
      /needle clear shop\/card --quarantine (\S+) --reason/.exec(refused.stdout) ?? []
    await needle('clear', 'shop/card', '--quarantine', pair, '--reason', 'harmless')
    const cleared = await dryRun(build)
    expect(cleared.exitCode).toBe(0)
    expect(cleared.stdout).toMatch(/shop\/card {2}\w{12} → \(new\)/)
    expect(cleared.annotations).toEqual([])
  })

  test('says the same of code that needs no build, and tells what goes ahead', async () => {
    await revertCard()
    await on.repository.commit({ ...cardAt(3), ...priceAt(2) }, 'Land both')
    await needle('plan', '--out', '.needle/plan.json')
    await needle('build', '--plan', '.needle/plan.json', '--out', '.needle/planned')
    const { exitCode, json, annotations } = await dryRun('.needle/planned', '--json')
    expect(exitCode).toBe(1)
    expect(json()).toMatchObject({
      dryRun: true,
      written: false,
      version: 5,
      changes: [{ kind: 'updated', function: 'shop/price' }],
      refusals: [{ code: 'PAIR_QUARANTINED', function: 'shop/card' }],
      untold: [],
    })
    expect(annotations).toHaveLength(1)
  })

  test('lets pass whoever changes something else', async () => {
    await revertCard()
    await on.repository.commit(priceAt(2), 'Price 2')
    const { exitCode, stdout, annotations } = await dryRun(await buildChange())
    expect(exitCode).toBe(0)
    expect(stdout).toContain('of others only holds are told')
    expect(stdout).not.toContain('shop/card')
    expect(annotations).toEqual([])
  })
})

describe('a dry run of a change of a function that somebody holds', () => {
  test('tells who and why, at its file as well, and passes', async () => {
    await needle('hold', 'shop/card', '--reason', 'Black Friday', '--actor', 'Bo')
    await on.repository.commit(cardAt(4), 'Card 4')
    const { exitCode, stdout, annotations } = await dryRun(await buildChange())
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/shop\/card {2}not changed: held at \w{12} by Bo since .*: Black Friday/)
    expect(annotations).toEqual([
      expect.stringMatching(
        /^::warning file=functions\/shop\/card\/index\.ts,title=FUNCTION_HELD::.* by Bo .*: Black Friday/,
      ),
    ])
  })

  test('tells every other change of it, too, without a remark on its files', async () => {
    await needle('stop', 'shop/card', '--reason', 'a leak', '--actor', 'Bo')
    await on.repository.commit(priceAt(2), 'Price 2')
    const { exitCode, stdout, annotations } = await dryRun(await buildChange())
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/shop\/card {2}not changed: stopped by Bo since .*: a leak/)
    expect(stdout).toMatch(/shop\/price {2}\w{12} → \(new\)/)
    expect(annotations).toEqual([])
  })

  test('says when it ends the hold', async () => {
    await needle('rollback', 'shop/card', '--reason', '500s', '--actor', 'Bo')
    await on.repository.commit(cardAt(4), 'Card 4')
    const { exitCode, stdout } = await dryRun(await buildChange(), '--canary', '20')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('shop/card  hold of Bo ended: Git has moved on from it')
    expect(stdout).toContain('shop/card  canary (new) at 20 %')
  })
})

describe('a dry run of affected functions', () => {
  test('goes ahead although production has moved on since: a merge makes another commit of it', async () => {
    await on.repository.commit(cardAt(4), 'Card 4')
    const build = await buildChange()
    await on.repository.git.raw(['reset', '--quiet', '--hard', published])
    await on.repository.commit(priceAt(2), 'Price 2')
    await on.deploy()
    const { exitCode, stdout } = await dryRun(build)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/shop\/card {2}\w{12} → \(new\)/)
    expect(stdout).not.toContain('COMMIT_OLDER')
  })

  test('reads what the role in setting-up.md may read, and nothing else', async () => {
    await on.repository.commit(cardAt(4), 'Card 4')
    expect((await dryRun(await buildChange())).exitCode).toBe(0)
    const page = await readFile(new URL('../../docs/setting-up.md', import.meta.url), 'utf8')
    const granted = [...page.matchAll(/"arn:aws:s3:::acme-functions\/production\/(.+)"/g)]
    const patterns = granted.map(([, pattern = '']) => pattern)
    expect(patterns).toContain('trust/*')
    const isGranted = (key: string): boolean => patterns.some((each) => matchesGlob(key, each))
    expect(reads.length).toBeGreaterThan(3)
    expect(reads.filter((key) => !isGranted(key))).toEqual([])
  })

  test('names the release that the environment has of what was built', async () => {
    await on.repository.commit(cardAt(4), 'Card 4')
    await needle('build', '--out', '.needle/build')
    await needle('publish', '--canary', '20')
    await on.repository.commit(cardAt(3), 'Revert "Card 4"')
    const { exitCode, stdout } = await dryRun(await buildChange())
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/shop\/card {2}canary ended: Git is back at stable \w{12}/)
  })
})

describe('a dry run of a whole build', () => {
  test('verifies what the build says was released before', async () => {
    await revertCard()
    await on.repository.commit(cardAt(3), 'Card 3 again')
    await needle('plan', '--out', '.needle/plan.json')
    await needle('build', '--plan', '.needle/plan.json', '--out', '.needle/altered')
    const file = join(on.repository.directory, '.needle/altered/build.json')
    const build: BuildManifest = JSON.parse(await readFile(file, 'utf8'))
    const functions = build.functions.map((each) => ({ ...each, inputs: digestOf('others') }))
    await writeFile(file, JSON.stringify({ ...build, functions }))
    const { exitCode, stderr } = await dryRun('.needle/altered')
    expect(exitCode).toBe(1)
    expect(stderr).toContain('BUILD_DIRECTORY_ALTERED')
  })

  test('of another environment is refused', async () => {
    await needle('build', '--environment', 'production', '--out', '.needle/all')
    const { exitCode, stderr } = await dryRun('.needle/all', '--environment', 'staging')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('was made for production, not for staging')
  })

  test('of what is live says so', async () => {
    await buildAll()
    const { exitCode, stdout } = await dryRun('.needle/all')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('nothing: it says the same already')
  })

  test('refuses a commit that is older than what runs, as publish does', async () => {
    await buildAll()
    await on.repository.commit(priceAt(2), 'Price 2')
    await on.deploy()
    const { exitCode, stdout } = await dryRun('.needle/all')
    expect(exitCode).toBe(1)
    expect(stdout).toContain('COMMIT_OLDER')
  })

  test('of work that is not committed tells what it would do, and that it cannot be published', async () => {
    await on.repository.write({ ...priceAt(2), 'functions/shop/card': null })
    await buildAll()
    const { exitCode, stdout } = await dryRun('.needle/all')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('shop/card  removed: Git no longer has it')
    expect(stdout).toContain('in no commit: it cannot be published')
  })

  test('made of a commit that this clone lacks judges no age', async () => {
    const clone = join(on.repository.directory, '.needle/clone')
    await simpleGit().raw([
      'clone',
      '-q',
      '--depth',
      '1',
      `file://${on.repository.directory}`,
      clone,
    ])
    await on.repository.commit(priceAt(2), 'Price 2')
    await buildAll()
    const { exitCode, stdout } = await dryRun('.needle/all', '--repository', clone)
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/This clone does not have commit \w{12}/)
    expect(stdout).toMatch(/shop\/price {2}\w{12} → \(new\)/)
  })
})
