import { symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { simpleGit } from 'simple-git'
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { type CommandRun, runCommand } from '../author/run-command.ts'
import {
  answerOf,
  createLiveEnvironment,
  type LiveEnvironment,
  readObjects,
} from './live-environment.ts'

// Builds and Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 })

let on: LiveEnvironment
beforeAll(async () => {
  on = await createLiveEnvironment()
})
afterAll(() => on[Symbol.asyncDispose]())

beforeEach(() => on.startAfresh())

const publish = (n: number): string[] => ['publish', '--build', `.needle/build-${n}`]

async function served(): Promise<unknown> {
  await on.bff.needle.refresh()
  return on.answer()
}

async function expectRefusal(run: () => Promise<CommandRun>, says: string[]): Promise<void> {
  const before = await readObjects(on.store)
  const { exitCode, stdout, stderr } = await run()
  for (const each of says) expect(stdout + stderr).toContain(each)
  expect(exitCode).toBe(1)
  expect(await readObjects(on.store)).toEqual(before)
}

test('a commit older than production is refused, unless somebody says why', async () => {
  expect((await on.needle(publish(3))).exitCode).toBe(0)
  await expectRefusal(() => on.needle(publish(2)), ['COMMIT_OLDER', '--allow-older --reason'])
  expect(await served()).toEqual(answerOf(3))

  const unreasoned = await on.needle([...publish(2), '--allow-older'])
  expect(unreasoned.stderr).toContain('USAGE_INVALID')
  expect(unreasoned.exitCode).toBe(2)
  const meant = [...publish(2), '--allow-older', '--reason', 'the ERP is down']
  expect((await on.needle(meant)).exitCode).toBe(0)
  expect(await served()).toEqual(answerOf(2))
})

test('a dirty work tree is told at build, by doctor, and refused at publish', async () => {
  const file = 'functions/shop/card/index.ts'
  const committed = await on.repository.git.show([`HEAD:${file}`])
  await on.repository.write({ [file]: committed.replace('card: 3', 'card: 33') })
  const build = await on.needle(['build', '--environment', 'production', '--out', '.needle/dirty'])
  expect(build.stdout).toContain('Files are not committed: this build cannot be published')
  expect((await on.needle(['doctor'])).stdout).toContain(file)
  await expectRefusal(
    () => on.needle(['publish', '--build', '.needle/dirty']),
    ['WORK_TREE_DIRTY', '.needle/dirty', 'Commit them'],
  )
  await on.repository.write({ [file]: committed })
})

test('a clone that cannot tell which commit is older publishes nothing', async () => {
  const { directory } = on.repository
  const shallow = join(directory, '.needle/shallow')
  await simpleGit().raw(['clone', '-q', '--depth', '1', `file://${directory}`, shallow])
  await symlink(join(directory, 'node_modules'), join(shallow, 'node_modules'))
  const args = ['publish', '--build', join(directory, '.needle/build-3')]
  const run = (cwd: string) => () => runCommand(args, { cwd, env: on.env })
  await expectRefusal(run(shallow), ['CLONE_SHALLOW', 'git fetch --unshallow'])
  const doctor = await runCommand(['doctor'], { cwd: shallow, env: on.env })
  expect(doctor.stdout).toContain('WARNING  git')
})

test('a pair that was rolled back stays out when it is published again, until it is cleared', async () => {
  await on.needle(publish(3))
  expect(await served()).toEqual(answerOf(3))
  const back = ['rollback', 'shop/card', '--reason', '500s', '--actor', 'Bo']
  expect((await on.needle(back)).exitCode).toBe(0)
  expect(await served()).toEqual(answerOf(2))

  const held = await on.needle(publish(3))
  expect(held.stdout).toMatch(/shop\/card {2}not changed: held .* by Bo .*needle clear shop\/card/)
  expect(held.exitCode).toBe(0)
  const unhold = ['clear', 'shop/card', '--hold', '--reason', 'looked at']
  expect((await on.needle(unhold)).exitCode).toBe(0)
  await expectRefusal(
    () => on.needle(publish(3)),
    ['PAIR_QUARANTINED', 'by Bo', '500s', 'needle clear shop/card --quarantine'],
  )
  expect(await served()).toEqual(answerOf(2))

  const { stdout } = await on.needle(publish(3))
  const pair = /--quarantine (\S+)/.exec(stdout)?.[1] ?? ''
  const clear = ['clear', 'shop/card', '--quarantine', pair, '--reason', 'harmless']
  expect((await on.needle(clear)).exitCode).toBe(0)
  expect((await on.needle(publish(3))).exitCode).toBe(0)
  expect(await served()).toEqual(answerOf(3))
})
