import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { readFile, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type InstanceReport,
  instanceReportSchema,
  objectKey,
  type ReportedFunction,
} from '@needle-faas/runtime/manifest'
import { expect, vi } from 'vitest'
import { type CommandRun, runCommand } from '../author/run-command.ts'
import { createRepository, type Files, functionFiles, type TestRepository } from '../repository.ts'

/** BFFs in processes of their own, on a store in a directory that `needle` publishes to. */
export interface ProcessFleet extends AsyncDisposable {
  readonly repository: TestRepository
  /** Runs `needle` with the release key and without `--json`. */
  needle(args: readonly string[]): Promise<CommandRun>
  /** Commits these files, builds and publishes them. */
  deploy(files: Files): Promise<void>
  start(instance: string): Promise<BffProcess>
  report(instance: string): Promise<InstanceReport>
  /** Waits until it says so of `shop/card`; half a minute at the most. */
  reported(instance: string, said: (card: ReportedFunction) => void): Promise<void>
  /** Makes the newest report of an instance so old, by the clock of the store. */
  age(instance: string, ageMs: number): Promise<void>
}

export interface BffProcess {
  readonly instance: string
  readonly child: ChildProcess
  /** Resolves to the status and the body; rejects when the process ends instead of answering. */
  ask(query: string, user: string): Promise<string>
}

export async function createProcessFleet(files: Files): Promise<ProcessFleet> {
  const repository = await createRepository({ ...functionFiles('shop/card'), ...files })
  const { directory } = repository
  const at = (path: string): string => join(directory, '.needle', path)
  const env = { NEEDLE_STORE: `file:${at('store')}`, NEEDLE_TRUST: at('keys/trust-root.json') }
  const needle = async (args: readonly string[], more = {}): Promise<CommandRun> =>
    runCommand(args, { cwd: directory, env: { ...env, ...more } })
  const succeed = async (args: readonly string[], more = {}): Promise<void> => {
    const { exitCode, stdout, stderr } = await needle(args, more)
    if (exitCode !== 0) throw new Error(`needle ${args.join(' ')}: ${stdout}${stderr}`)
  }
  await succeed(['keys', 'init'])
  const withKey = { NEEDLE_RELEASE_KEY: await readFile(at('keys/release.jwk.json'), 'utf8') }
  const publish = async (): Promise<void> => {
    await succeed(['build', '--environment', 'production', '--out', at('build')])
    await succeed(['publish', '--build', at('build')], withKey)
  }
  await publish()

  const children: ChildProcess[] = []
  const fileOf = (instance: string): string =>
    join(at('store'), objectKey.instance('production', instance))
  const report = async (instance: string): Promise<InstanceReport> =>
    instanceReportSchema.parse(JSON.parse(await readFile(fileOf(instance), 'utf8')))
  return {
    repository,
    needle: (args) => needle(args, withKey),
    deploy: async (changes) => {
      await repository.commit(changes)
      await publish()
    },
    start: async (instance) => {
      const host = new URL('bff-process.ts', import.meta.url)
      const child = fork(host, [env.NEEDLE_STORE, env.NEEDLE_TRUST, instance], {
        execArgv: ['--conditions=needle-source', '--max-old-space-size=80'],
        stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      })
      children.push(child)
      const told: unknown[] = await once(child, 'message')
      return {
        instance,
        child,
        ask: async (query, user) => {
          const headers = { 'x-needle-key': user }
          const answer = await fetch(`${String(told[0])}/shop/card?${query}`, { headers })
          return `${answer.status} ${await answer.text()}`
        },
      }
    },
    report,
    reported: (instance, said) =>
      vi.waitFor(
        async () => {
          const card = (await report(instance)).functions['shop/card']
          expect(card).toBeDefined()
          if (card !== undefined) said(card)
        },
        { timeout: 30_000, interval: 100 },
      ),
    age: async (instance, ageMs) => {
      const then = new Date(Date.now() - ageMs)
      await utimes(fileOf(instance), then, then)
    },
    [Symbol.asyncDispose]: async () => {
      const running = children.filter(
        ({ exitCode, signalCode }) => exitCode === null && signalCode === null,
      )
      const ended = running.map((child) => once(child, 'exit'))
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(ended)
      await repository[Symbol.asyncDispose]()
    },
  }
}
