import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Manifest, objectKey } from '@needle-faas/runtime/manifest'
import { push, type WorkflowEvent } from './harness/event.ts'
import type { Change, Origin } from './harness/origin.ts'
import { runWorkflow, type WorkflowRun, type WorkflowRunOptions } from './harness/run-workflow.ts'
import { commands, createProjectOrigin, project } from './project-origin.ts'

/** Far more than the few seconds of a run, for machines that do much else. */
export const scenarioMs = 180_000

const execute = promisify(execFile)

const cloudRoles = {
  reader: { accessKeyId: 'READER', secretAccessKey: 'reader-secret', sessionToken: 'r-token' },
  publisher: { accessKeyId: 'WRITER', secretAccessKey: 'writer-secret', sessionToken: 'w-token' },
  looker: { accessKeyId: 'LOOKER', secretAccessKey: 'looker-secret', sessionToken: 'l-token' },
  mover: { accessKeyId: 'MOVER', secretAccessKey: 'mover-secret', sessionToken: 'm-token' },
}

/** This project as a team has it: an origin, keys, settings on GitHub, a store; deployed once. */
export interface DeployedProject extends AsyncDisposable {
  /** For whatever a test leaves. */
  readonly directory: string
  readonly origin: Origin
  /** Directory of the file store. */
  readonly store: string
  /** The pinned trust root. */
  readonly trustFile: string
  /** Private keys, as the secrets have them. */
  readonly keys: { readonly release: string; readonly operator: string }
  /** Runs `.github/workflows/<name>.yml`; throws when the event does not trigger it. */
  run(
    name: string,
    event: WorkflowEvent,
    more?: Pick<WorkflowRunOptions, 'variables' | 'signal'>,
  ): Promise<DeployRun>
  manifest(): Promise<Manifest>
  /** Keys of everything in the store, directories included, sorted. */
  objectsInStore(): Promise<string[]>
}

export interface DeployRun extends WorkflowRun {
  /** Directory of the run's artifacts. */
  readonly artifacts: string
}

/** What receivers of alarms are told is signed with. */
export const webhookSecret = 'a secret that webhooks share'

export async function createDeployedProject(change: Change): Promise<DeployedProject> {
  const directory = await mkdtemp(join(tmpdir(), 'needle-deploy-'))
  const place = (name: string): string => join(directory, name)
  const store = place('store')
  const trustFile = place('keys/trust-root.json')
  const needle = join(project, 'pipeline', 'bin', 'needle.js')
  await execute(process.execPath, [needle, 'keys', 'init', '--out', place('keys')], {
    cwd: project,
    env: { PATH: process.env['PATH'], NEEDLE_STORE: `file:${store}`, NEEDLE_TRUST: trustFile },
  })
  const readKey = (role: string): Promise<string> =>
    readFile(place(`keys/${role}.jwk.json`), 'utf8')
  const keys = { release: await readKey('release'), operator: await readKey('operator') }
  const origin = await createProjectOrigin(directory, {
    'functions/trust/production.json': await readFile(trustFile, 'utf8'),
    ...change,
  })
  let runs = 0
  const run: DeployedProject['run'] = async (name, event, { variables, signal } = {}) => {
    runs += 1
    const result = await runWorkflow({
      origin,
      event,
      file: `.github/workflows/${name}.yml`,
      directory: place(`run-${runs}`),
      commands,
      cloudRoles,
      environmentSecrets: {
        production: { NEEDLE_RELEASE_KEY: keys.release },
        rollout: { NEEDLE_OPERATOR_KEY: keys.operator, NEEDLE_WEBHOOK_SECRET: webhookSecret },
      },
      variables: {
        NEEDLE_STORE: `file:${store}`,
        NEEDLE_AWS_REGION: 'us-east-1',
        NEEDLE_READ_ROLE: 'reader',
        NEEDLE_PULL_REQUEST_ROLE: 'looker',
        NEEDLE_PUBLISH_ROLE: 'publisher',
        NEEDLE_ROLLOUT_ROLE: 'mover',
        ...variables,
      },
      ...(signal !== undefined && { signal }),
    })
    if (result === undefined) throw new Error(`${name} was not triggered`)
    return { ...result, artifacts: place(`run-${runs}/artifacts`) }
  }
  landed(await run('deploy', await push(origin)))
  return {
    directory,
    origin,
    store,
    trustFile,
    keys,
    run,
    manifest: async () => {
      const file = join(store, objectKey.manifest('production'))
      const { payload }: { payload: string } = JSON.parse(await readFile(file, 'utf8'))
      const document: Manifest = JSON.parse(Buffer.from(payload, 'base64url').toString())
      return document
    },
    objectsInStore: async () => (await readdir(store, { recursive: true })).toSorted(),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  }
}

/** A function with its test; `inTest` runs as code of its author would, in the test. */
export function greeting(word: string, { expected = word, inTest = '' } = {}): Change {
  return {
    'functions/shop/greeting/index.ts': `export default async () => ({ greeting: '${word}' })\n`,
    'functions/shop/greeting/index.test.ts': `${inTest === '' ? '' : "import { readFileSync, writeFileSync } from 'node:fs'"}
import { expect, it } from 'vitest'
import greet from './index.ts'

it('greets in one word', async () => {
  ${inTest}
  expect(await greet()).toEqual({ greeting: '${expected}' })
})
`,
    'functions/shop/greeting/README.md': '# Greeting\n\nSays one word.\n',
  }
}

/** Everything that the steps of a run printed. */
export function logOf({ jobs }: WorkflowRun): string {
  return Object.values(jobs)
    .flatMap(({ id, steps }) => steps.map(({ name, log }) => `${id}: ${name}\n${log}`))
    .join('\n')
}

/** The run, which must have succeeded; else everything it printed is the reason. */
export function landed<Run extends WorkflowRun>(run: Run): Run {
  if (run.conclusion !== 'success') throw new Error(logOf(run))
  return run
}

/** Of each job, by id. */
export function conclusions({ jobs }: WorkflowRun): Record<string, string> {
  return Object.fromEntries(Object.values(jobs).map(({ id, conclusion }) => [id, conclusion]))
}
