import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { digestOf, settingsDigestOf } from '@needle-faas/runtime/manifest'
import { testSettings } from '../../../runtime/src/manifest/testing/test-documents.ts'
import { toBuiltObject, writeBuildDirectory } from '../../src/build/build-directory.ts'
import type { BuildManifest, BuiltFunction } from '../../src/build/build-manifest.ts'
import type { RolloutPlan } from '../../src/config/rollout-policy.ts'
import { main } from '../../src/cli.ts'
import { createRepository, type TestRepository } from '../repository.ts'

export interface NeedleOutcome {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
  /** What `--json` printed; undefined for other output. */
  readonly json: unknown
}

/** A Git repository with keys and a file store, on which `needle` is run as a person would. */
export interface PublishedRepository extends AsyncDisposable {
  readonly repository: TestRepository
  readonly env: Readonly<Record<string, string>>
  /** In this process, with `--json`. */
  needle(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<NeedleOutcome>
  /** In a process of its own, with `--json`. */
  spawnNeedle(args: readonly string[]): Promise<NeedleOutcome>
  /** Commits code by function name and builds it into `directory`; resolves to the commit. */
  build(code: Readonly<Record<string, string>>, more?: BuildOptions): Promise<string>
  /** Builds and publishes; throws when that fails. */
  publish(code: Readonly<Record<string, string>>, ...args: string[]): Promise<NeedleOutcome>
}

export interface BuildOptions {
  readonly manifest?: Partial<BuildManifest>
  /** Relative to the repository. */
  readonly directory?: string
  readonly message?: string
  /** How changes go out, by function name. */
  readonly rollouts?: Readonly<Record<string, RolloutPlan>>
}

export async function createPublishedRepository(): Promise<PublishedRepository> {
  const repository = await createRepository()
  const { directory } = repository
  const located = {
    NEEDLE_STORE: `file:${join(directory, '.needle/store')}`,
    NEEDLE_TRUST: join(directory, '.needle/keys/trust-root.json'),
  }
  const made = await run(directory, located, ['keys', 'init'])
  if (made.exitCode !== 0) throw new Error(made.stdout)
  const readKey = (role: string): Promise<string> =>
    readFile(join(directory, `.needle/keys/${role}.jwk.json`), 'utf8')
  const env = { ...located, NEEDLE_RELEASE_KEY: await readKey('release') }

  const build: PublishedRepository['build'] = async (code, more = {}) => {
    const files = Object.fromEntries(
      Object.entries(code).map(([name, text]) => [`functions/${name}/index.ts`, text]),
    )
    const commit = await repository.commit(files, more.message)
    await writeTestBuild(join(directory, more.directory ?? '.needle/build'), code, {
      commit,
      rollouts: more.rollouts ?? {},
      ...more.manifest,
    })
    return commit
  }
  return {
    repository,
    env,
    needle: (args, overrides = {}) => run(directory, { ...env, ...overrides }, args),
    spawnNeedle: (args) => runProcess(directory, env, args),
    build,
    publish: async (code, ...args) => {
      await build(code)
      const outcome = await run(directory, env, ['publish', ...args])
      if (outcome.exitCode !== 0) throw new Error(outcome.stdout + outcome.stderr)
      return outcome
    },
    [Symbol.asyncDispose]: () => repository[Symbol.asyncDispose](),
  }
}

async function run(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<NeedleOutcome> {
  let stdout = ''
  let stderr = ''
  const code = await main([...args, '--json'], {
    stdout: (text) => void (stdout += text),
    stderr: (text) => void (stderr += text),
    isTerminal: false,
    cwd,
    env,
    signal: new AbortController().signal,
  })
  return { exitCode: code, stdout, stderr, json: parse(stdout) }
}

function runProcess(
  cwd: string,
  env: Readonly<Record<string, string>>,
  args: readonly string[],
): Promise<NeedleOutcome> {
  const bin = fileURLToPath(new URL('../../bin/needle.js', import.meta.url))
  const child = spawn(process.execPath, [bin, ...args, '--json'], {
    cwd,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code) =>
      resolve({ exitCode: code ?? -1, stdout, stderr, json: parse(stdout) }),
    )
  })
}

function parse(stdout: string): unknown {
  return stdout.startsWith('{') || stdout.startsWith('[') ? JSON.parse(stdout) : undefined
}

/** A build directory as `needle build` writes it, with code that nothing here evaluates. */
async function writeTestBuild(
  directory: string,
  code: Readonly<Record<string, string>>,
  {
    rollouts,
    ...more
  }: Partial<BuildManifest> & {
    readonly commit: string
    readonly rollouts: Readonly<Record<string, RolloutPlan>>
  },
): Promise<void> {
  const objects = new Map<string, Uint8Array>()
  const functions = Object.entries(code)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, text]): BuiltFunction => {
      const bytes = new TextEncoder().encode(`${name}: ${text}`)
      const map = new TextEncoder().encode(`{"file":"${name}"}`)
      const artifact = toBuiltObject(bytes, '')
      const mapDigest = toBuiltObject(map, '.map')
      objects.set(artifact.file, bytes).set(mapDigest.file, map)
      const settings = testSettings(name)
      const rollout = rollouts[name]
      const built: BuiltFunction = {
        status: 'built',
        name,
        inputs: digestOf(`inputs of ${name}: ${text}`),
        artifact,
        sourceMap: mapDigest,
        settings,
        settingsDigest: settingsDigestOf(settings),
        contract: { input: null, output: null, unexpressed: [] },
      }
      return rollout === undefined ? built : Object.assign(built, { rollout })
    })
  await writeBuildDirectory(
    directory,
    {
      specVersion: 1,
      dirty: false,
      complete: true,
      scope: 'production',
      environment: 'production',
      functions,
      ...more,
    },
    objects,
  )
}
