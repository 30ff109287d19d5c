import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { simpleGit } from 'simple-git'
import { afterEach, expect, test, vi } from 'vitest'
import { openGitRepository } from './git-repository.ts'

// Many Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 30_000 })

const run = promisify(execFile)
const directories: string[] = []
afterEach(async () => {
  vi.unstubAllEnvs()
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true })
})

test('knows a commit by id, author, time and subject', async () => {
  const { directory, commit } = await repository()
  const id = await commit({ 'a.ts': '1' }, 'Ann')
  expect(await (await openGitRepository(directory)).commit('HEAD')).toEqual({
    id,
    author: 'Ann <ann@acme.test>',
    committedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-Z]/),
    subject: 'change a.ts',
  })
})

test('tells how two commits are related', async () => {
  const { directory, commit, git } = await repository()
  const first = await commit({ 'a.ts': '1' })
  const second = await commit({ 'a.ts': '2' })
  await git.raw(['checkout', '-q', first])
  const other = await commit({ 'b.ts': '1' })
  const repo = await openGitRepository(directory)
  expect(await repo.ancestry(second, second)).toBe('same')
  expect(await repo.ancestry(second, first)).toBe('descends')
  expect(await repo.ancestry(first, second)).toBe('older')
  expect(await repo.ancestry(second, other)).toBe('diverged')
  expect(await repo.ancestry(second, 'f'.repeat(40))).toBe('unknown')
})

test('says that a shallow clone cannot tell', async () => {
  const { directory, commit } = await repository()
  const first = await commit({ 'a.ts': '1' })
  const second = await commit({ 'a.ts': '2' })
  const clone = await temporary()
  await run('git', ['clone', '-q', '--depth=1', `file://${directory}`, clone])
  expect(await (await openGitRepository(clone)).ancestry(second, first)).toBe('shallow')
})

test('lists what is not committed, below one folder, new files included', async () => {
  const { directory, commit } = await repository()
  await commit({ 'functions/a.ts': '1', 'readme.md': '1' })
  await writeFile(join(directory, 'functions/a.ts'), '2')
  await writeFile(join(directory, 'functions/new.ts'), '1')
  await writeFile(join(directory, 'readme.md'), '2')
  const repo = await openGitRepository(join(directory, 'functions'))
  expect(await repo.dirtyPaths('functions')).toEqual(['functions/a.ts', 'functions/new.ts'])
  expect(await repo.dirtyPaths()).toHaveLength(3)
})

test('lists what changed between two commits and by whom', async () => {
  const { directory, commit } = await repository()
  const from = await commit({ 'a.ts': '1', 'b.ts': '1' })
  await commit({ 'a.ts': '2', 'with space.ts': '1' }, 'Ann')
  const to = await commit({ 'a.ts': '3' }, 'Bob')
  expect(await (await openGitRepository(directory)).changesBetween(from, to)).toEqual([
    { path: 'a.ts', authors: ['Bob <bob@acme.test>', 'Ann <ann@acme.test>'] },
    { path: 'with space.ts', authors: ['Ann <ann@acme.test>'] },
  ])
})

test('gives the origin without credentials, and null without an origin', async () => {
  const { directory, commit, git } = await repository()
  await commit({ 'a.ts': '1' })
  const repo = await openGitRepository(directory)
  expect(await repo.originUrl()).toBeNull()
  await git.addRemote('origin', 'https://me:secret@git.acme.test/bff.git')
  expect(await repo.originUrl()).toBe('https://git.acme.test/bff.git')
})

test('the configured user is the one the repository itself names', async () => {
  const { directory, commit } = await repository()
  await commit({ 'a.ts': '1' }, 'Bob')
  const global = join(await temporary(), 'gitconfig')
  await writeFile(global, '[user]\n\tname = Elsewhere\n\temail = elsewhere@acme.test\n')
  vi.stubEnv('GIT_CONFIG_GLOBAL', global)
  const repo = await openGitRepository(directory)
  expect(await repo.configuredUser()).toBe('Bob <bob@acme.test>')
})

test('refuses a directory that is in no repository, and a revision that is not there', async () => {
  await expect(openGitRepository(await temporary())).rejects.toMatchObject({
    code: 'REPOSITORY_MISSING',
  })
  const { directory } = await repository()
  await expect((await openGitRepository(directory)).commit('HEAD')).rejects.toMatchObject({
    code: 'COMMIT_UNKNOWN',
  })
})

async function temporary(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'needle-git-')))
  directories.push(directory)
  return directory
}

async function repository() {
  const directory = await temporary()
  const git = simpleGit(directory)
  await git.init(['-q', '-b', 'main'])
  const commit = async (files: Record<string, string>, name = 'Ann'): Promise<string> => {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true })
      await writeFile(join(directory, path), text)
    }
    await git.addConfig('user.name', name)
    await git.addConfig('user.email', `${name.toLowerCase()}@acme.test`)
    await git.add('.')
    await git.commit(`change ${Object.keys(files)[0] ?? ''}`)
    return (await git.revparse(['HEAD'])).trim()
  }
  return { directory, git, commit }
}
