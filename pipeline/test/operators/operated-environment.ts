import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRuntime, type Runtime } from '@needle-faas/runtime'
import { type InstanceReport, objectKey } from '@needle-faas/runtime/manifest'
import { type ArtifactStore, createFileStore } from '@needle-faas/runtime/store'
import { testReport } from '../../../runtime/src/manifest/testing/test-reports.ts'
import type { PublishInput } from '../../src/plan/plan-publish.ts'
import type { ChangeOutcome } from '../../src/publish/change-environment.ts'
import type { Publisher } from '../../src/publish/publisher.ts'
import { type CommandRun, runCommand } from '../author/run-command.ts'
import {
  createTestTrust,
  type TestTrust,
} from '../../../runtime/src/manifest/testing/test-trust.ts'
import { createTestPublisher, publishCode } from '../publisher/environment-under-test.ts'

/**
 * What people on call have: an empty directory, a store, the pinned trust root and an operator key.
 * And the instances whose functions it is about, which are real.
 */
export interface OperatedEnvironment extends AsyncDisposable {
  /** Empty: no repository, no configuration. */
  readonly directory: string
  readonly store: ArtifactStore
  readonly trust: TestTrust
  readonly publisher: Publisher
  /** `--store` and `--trust`. */
  readonly location: readonly string[]
  /** `location`, and `--key` of an operator. */
  readonly operator: readonly string[]
  /** Runs `needle` in the empty directory, without variables. */
  needle(args: readonly string[], env?: Record<string, string>): Promise<CommandRun>
  /** Publishes functions that answer these texts, by name. */
  publish(
    answers: Readonly<Record<string, string>>,
    more?: Partial<PublishInput>,
  ): Promise<ChangeOutcome>
  /** An instance that reports as `name` and serves; closed with the environment. */
  startInstance(name: string, options?: InstanceOptions): Promise<Runtime>
  /** Stores a report as an instance would that nobody started here, so long ago (default now). */
  report(instance: string, more?: Partial<InstanceReport>, ageMs?: number): Promise<void>
}

export interface InstanceOptions {
  /** Default 50. */
  readonly pollIntervalMs?: number
  readonly store?: ArtifactStore
}

export async function createOperatedEnvironment(): Promise<OperatedEnvironment> {
  const root = await mkdtemp(join(tmpdir(), 'needle-operators-'))
  const place = (name: string): string => join(root, name)
  await mkdir(place('empty'))
  const trust = await createTestTrust()
  await writeFile(place('root.json'), trust.rootBytes)
  await writeFile(place('operator.jwk.json'), JSON.stringify(trust.keys.operator.privateJwk))
  const store = createFileStore(place('store'))
  const publisher = createTestPublisher(trust, store)
  const runtimes: Runtime[] = []
  const location = ['--store', `file:${place('store')}`, '--trust', '../root.json']
  return {
    directory: place('empty'),
    store,
    trust,
    publisher,
    location,
    operator: [...location, '--key', '../operator.jwk.json', '--actor', 'Bo'],
    needle: (args, env = {}) => runCommand(args, { cwd: place('empty'), env }),
    publish: (answers, more) =>
      publishCode(
        publisher,
        trust,
        Object.fromEntries(Object.entries(answers).map(([name, text]) => [name, codeOf(text)])),
        more,
      ),
    startInstance: async (name, options = {}) => {
      const runtime = createRuntime({
        source: {
          store: options.store ?? store,
          pollIntervalMs: options.pollIntervalMs ?? 50,
        },
        groups: ['shop'],
        trust: trust.rootBytes,
        instance: name,
        log: { debug() {}, info() {}, warn() {}, error() {} },
      })
      runtimes.push(runtime)
      await runtime.start()
      return runtime
    },
    report: async (instance, more = {}, ageMs = 0) => {
      const now = new Date().toISOString()
      const report = testReport(instance, { reportedAt: now, startedAt: now, ...more })
      const bytes = new TextEncoder().encode(JSON.stringify(report))
      const key = objectKey.instance('production', instance)
      await store.put(key, bytes)
      const at = (Date.now() - ageMs) / 1000
      await utimes(join(root, 'store', key), at, at)
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all(runtimes.map((runtime) => runtime.close()))
      await rm(root, { recursive: true })
    },
  }
}

/** A bundle of a function that answers this text. */
export function codeOf(text: string): string {
  return `var __needle_function = { default: async () => (${JSON.stringify(text)}) }`
}

/** What an instance answers for a function: its text, or the code of a refusal. */
export async function ask(runtime: Runtime, name: string): Promise<unknown> {
  const { body, errorCode } = await runtime.handle({
    requestId: 'r1',
    method: 'POST',
    url: `/${name}`,
    headers: {},
    body: null,
    caller: {},
  })
  if (errorCode !== null) return errorCode
  if (typeof body !== 'string') throw new TypeError('a function here answers text')
  return JSON.parse(body)
}
