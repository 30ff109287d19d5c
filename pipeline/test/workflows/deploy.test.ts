import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Manifest, objectKey } from '@needle-faas/runtime/manifest'
import type { BuildManifest } from '../../src/build/build-manifest.ts'
import { openPullRequest, push, trigger, type WorkflowEvent } from './harness/event.ts'
import { git } from './harness/git.ts'
import { commit, type Origin } from './harness/origin.ts'
import { runWorkflow, type WorkflowRun } from './harness/run-workflow.ts'
import { commands, createProjectOrigin, project } from './project-origin.ts'

/** Far more than the few seconds of a run, for machines that do much else. */
const scenarioMs = 180_000
const execute = promisify(execFile)

const cloudRoles = {
  reader: { accessKeyId: 'READER', secretAccessKey: 'reader-secret', sessionToken: 'r-token' },
  publisher: { accessKeyId: 'WRITER', secretAccessKey: 'writer-secret', sessionToken: 'w-token' },
}

let directory: string
let origin: Origin
let releaseKey: string
let runs = 0

/** A function with its test; `inTest` runs as code of its author would, in the test. */
function greeting(word: string, { expected = word, inTest = '' } = {}): Record<string, string> {
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

/** Copies the environment of every process from the test up to the one that runs these tests. */
function spyOnEnvironment(into: string): string {
  return `const seen: string[] = []
  for (let pid = process.pid; pid > 1 && pid !== ${process.pid}; ) {
    seen.push(readFileSync(\`/proc/\${pid}/environ\`, 'latin1'))
    pid = Number(/^PPid:\\s*(\\d+)/m.exec(readFileSync(\`/proc/\${pid}/status\`, 'latin1'))?.[1])
  }
  writeFileSync('${into}', seen.join('\\0').replaceAll('\\0', '\\n'))`
}

const storeDirectory = (): string => join(directory, 'store')

async function deploy(event: WorkflowEvent): Promise<WorkflowRun & { artifacts: string }> {
  return runFile('deploy', event)
}

async function runFile(name: string, event: WorkflowEvent) {
  runs += 1
  const place = join(directory, `run-${runs}`)
  const result = await runWorkflow({
    origin,
    event,
    file: `.github/workflows/${name}.yml`,
    directory: place,
    commands,
    cloudRoles,
    environmentSecrets: { production: { NEEDLE_RELEASE_KEY: releaseKey } },
    variables: {
      NEEDLE_STORE: `file:${storeDirectory()}`,
      NEEDLE_AWS_REGION: 'us-east-1',
      NEEDLE_READ_ROLE: 'reader',
      NEEDLE_PUBLISH_ROLE: 'publisher',
    },
  })
  if (result === undefined) throw new Error(`${name} was not triggered`)
  return { ...result, artifacts: join(place, 'artifacts') }
}

function logOf({ jobs }: WorkflowRun): string {
  return Object.values(jobs)
    .flatMap(({ id, steps }) => steps.map(({ name, log }) => `${id}: ${name}\n${log}`))
    .join('\n')
}

/** The run, which must have succeeded; else everything it printed is the reason. */
function landed<Run extends WorkflowRun>(run: Run): Run {
  if (run.conclusion !== 'success') throw new Error(logOf(run))
  return run
}

function conclusions({ jobs }: WorkflowRun): Record<string, string> {
  return Object.fromEntries(Object.values(jobs).map(({ id, conclusion }) => [id, conclusion]))
}

async function manifest(): Promise<Manifest> {
  const file = join(storeDirectory(), objectKey.manifest('production'))
  const { payload }: { payload: string } = JSON.parse(await readFile(file, 'utf8'))
  const document: Manifest = JSON.parse(Buffer.from(payload, 'base64url').toString())
  return document
}

async function objectsInStore(): Promise<string[]> {
  return (await readdir(storeDirectory(), { recursive: true })).toSorted()
}

async function builtIn(artifacts: string): Promise<string[]> {
  const file = join(artifacts, 'build', 'build.json')
  const build: BuildManifest = JSON.parse(await readFile(file, 'utf8'))
  return build.functions.filter(({ status }) => status === 'built').map(({ name }) => name)
}

const published = { plan: 'success', build: 'success', publish: 'success' }

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'needle-deploy-'))
  const keys = join(directory, 'keys')
  const needle = join(project, 'pipeline', 'bin', 'needle.js')
  await execute(process.execPath, [needle, 'keys', 'init', '--out', keys], {
    cwd: project,
    env: {
      PATH: process.env['PATH'],
      NEEDLE_STORE: `file:${storeDirectory()}`,
      NEEDLE_TRUST: join(keys, 'trust-root.json'),
    },
  })
  releaseKey = await readFile(join(keys, 'release.jwk.json'), 'utf8')
  origin = await createProjectOrigin(directory, {
    'functions/trust/production.json': await readFile(join(keys, 'trust-root.json'), 'utf8'),
    ...greeting('hello'),
  })
  landed(await deploy(await push(origin)))
}, scenarioMs)
afterAll(() => rm(directory, { recursive: true, force: true }))

describe('a push to main', () => {
  it(
    'publishes the next manifest, and code of the author saw no key on the way',
    async () => {
      const before = await manifest()
      const seen = join(directory, 'seen')
      const changed = greeting('hi', { inTest: spyOnEnvironment(seen) })
      const sha = await commit(origin, 'Greet shorter\n\nBecause.', changed)
      const run = await deploy(await push(origin))
      expect(conclusions(landed(run))).toEqual(published)
      expect(await builtIn(run.artifacts)).toEqual(['shop/greeting'])
      const after = await manifest()
      expect(after).toMatchObject({ version: before.version + 1, commit: sha })
      expect(after.reason).toBe('Greet shorter')
      const environment = await readFile(seen, 'utf8')
      expect(environment).toContain('GITHUB_JOB=build')
      const { d }: { d: string } = JSON.parse(releaseKey)
      for (const secret of [d, 'NEEDLE_RELEASE_KEY', 'reader-secret', 'writer-secret']) {
        expect(environment).not.toContain(secret)
      }
      expect(environment).not.toMatch(/GITHUB_TOKEN|ID_TOKEN|AWS_|NEEDLE_STORE/)
    },
    scenarioMs,
  )

  it(
    'whose unit test fails stops before anything is published',
    async () => {
      const [before, objects] = [await manifest(), await objectsInStore()]
      await commit(origin, 'Greet wrongly', greeting('hellp', { expected: 'hello' }))
      const run = await deploy(await push(origin))
      expect(conclusions(run)).toEqual({ plan: 'success', build: 'failure', publish: 'skipped' })
      expect(logOf(run)).toContain('greets in one word')
      expect(await manifest()).toEqual(before)
      expect(await objectsInStore()).toEqual(objects)
    },
    scenarioMs,
  )

  it(
    'that reverts to published code builds nothing',
    async () => {
      const before = await manifest()
      const sha = await commit(origin, 'Greet as at first', greeting('hello'))
      const run = await deploy(await push(origin))
      expect(conclusions(landed(run))).toEqual(published)
      expect(await builtIn(run.artifacts)).toEqual([])
      expect(await manifest()).toMatchObject({ version: before.version + 1, commit: sha })
    },
    scenarioMs,
  )

  it('of another branch deploys nothing', async () => {
    await expect(deploy(await push(origin, 'topic'))).rejects.toThrow('deploy was not triggered')
  })
})

describe('a pull request', () => {
  it(
    'is checked and built without a secret, and nothing is written',
    async () => {
      const objects = await objectsInStore()
      const seen = join(directory, 'seen-by-pull-request')
      await git(origin.work, 'checkout', '--quiet', '-b', 'change')
      await commit(origin, 'Greet', greeting('hey', { inTest: spyOnEnvironment(seen) }))
      const run = await runFile('pull-request', await openPullRequest(origin, { branch: 'change' }))
      expect(conclusions(landed(run))).toEqual({ check: 'success' })
      expect(await readFile(seen, 'utf8')).not.toMatch(/NEEDLE_|AWS_|GITHUB_TOKEN|ID_TOKEN/)
      expect(await objectsInStore()).toEqual(objects)
    },
    scenarioMs,
  )
})

describe('the weekly refresh', () => {
  it(
    'signs the same state anew',
    async () => {
      const before = await manifest()
      const run = await runFile('refresh', await trigger(origin, 'schedule'))
      expect(conclusions(landed(run))).toEqual({ refresh: 'success' })
      const after = await manifest()
      expect(after).toMatchObject({ version: before.version + 1, groups: before.groups })
      expect(after.expiresAt > before.expiresAt).toBe(true)
    },
    scenarioMs,
  )
})
