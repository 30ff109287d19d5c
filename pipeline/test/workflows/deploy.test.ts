import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BuildManifest } from '../../src/build/build-manifest.ts'
import {
  conclusions,
  createDeployedProject,
  type DeployedProject,
  greeting,
  landed,
  logOf,
  scenarioMs,
} from './deployed-project.ts'
import { openPullRequest, push, trigger } from './harness/event.ts'
import { git } from './harness/git.ts'
import { commit } from './harness/origin.ts'

let on: DeployedProject

/** Copies the environment of every process from the test up to the one that runs these tests. */
function spyOnEnvironment(into: string): string {
  return `const seen: string[] = []
  for (let pid = process.pid; pid > 1 && pid !== ${process.pid}; ) {
    seen.push(readFileSync(\`/proc/\${pid}/environ\`, 'latin1'))
    pid = Number(/^PPid:\\s*(\\d+)/m.exec(readFileSync(\`/proc/\${pid}/status\`, 'latin1'))?.[1])
  }
  writeFileSync('${into}', seen.join('\\0').replaceAll('\\0', '\\n'))`
}

async function builtIn(artifacts: string): Promise<string[]> {
  const file = join(artifacts, 'build', 'build.json')
  const build: BuildManifest = JSON.parse(await readFile(file, 'utf8'))
  return build.functions.filter(({ status }) => status === 'built').map(({ name }) => name)
}

const published = { plan: 'success', build: 'success', publish: 'success' }

beforeAll(async () => {
  on = await createDeployedProject(greeting('hello'))
}, scenarioMs)
afterAll(() => on[Symbol.asyncDispose]())

describe('a push to main', () => {
  it(
    'publishes the next manifest, and code of the author saw no key on the way',
    async () => {
      const before = await on.manifest()
      const seen = join(on.directory, 'seen')
      const changed = greeting('hi', { inTest: spyOnEnvironment(seen) })
      const sha = await commit(on.origin, 'Greet shorter\n\nBecause.', changed)
      const run = await on.run('deploy', await push(on.origin))
      expect(conclusions(landed(run))).toEqual(published)
      expect(await builtIn(run.artifacts)).toEqual(['shop/greeting'])
      const after = await on.manifest()
      expect(after).toMatchObject({ version: before.version + 1, commit: sha })
      expect(after.reason).toBe('Greet shorter')
      const environment = await readFile(seen, 'utf8')
      expect(environment).toContain('GITHUB_JOB=build')
      const { d }: { d: string } = JSON.parse(on.keys.release)
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
      const [before, objects] = [await on.manifest(), await on.objectsInStore()]
      await commit(on.origin, 'Greet wrongly', greeting('hellp', { expected: 'hello' }))
      const run = await on.run('deploy', await push(on.origin))
      expect(conclusions(run)).toEqual({ plan: 'success', build: 'failure', publish: 'skipped' })
      expect(logOf(run)).toContain('greets in one word')
      expect(await on.manifest()).toEqual(before)
      expect(await on.objectsInStore()).toEqual(objects)
    },
    scenarioMs,
  )

  it(
    'that reverts to published code builds nothing',
    async () => {
      const before = await on.manifest()
      const sha = await commit(on.origin, 'Greet as at first', greeting('hello'))
      const run = await on.run('deploy', await push(on.origin))
      expect(conclusions(landed(run))).toEqual(published)
      expect(await builtIn(run.artifacts)).toEqual([])
      expect(await on.manifest()).toMatchObject({ version: before.version + 1, commit: sha })
    },
    scenarioMs,
  )

  it('of another branch deploys nothing', async () => {
    await expect(on.run('deploy', await push(on.origin, 'topic'))).rejects.toThrow(
      'deploy was not triggered',
    )
  })
})

describe('a pull request', () => {
  it(
    'is checked and built without a secret, and nothing is written',
    async () => {
      const objects = await on.objectsInStore()
      const seen = join(on.directory, 'seen-by-pull-request')
      await git(on.origin.work, 'checkout', '--quiet', '-b', 'change')
      await commit(on.origin, 'Greet', greeting('hey', { inTest: spyOnEnvironment(seen) }))
      const run = await on.run(
        'pull-request',
        await openPullRequest(on.origin, { branch: 'change' }),
      )
      expect(conclusions(landed(run))).toEqual({
        check: 'success',
        landing: 'success',
        'landing-unseen': 'skipped',
      })
      expect(await readFile(seen, 'utf8')).not.toMatch(/NEEDLE_|AWS_|GITHUB_TOKEN|ID_TOKEN/)
      expect(await on.objectsInStore()).toEqual(objects)
    },
    scenarioMs,
  )
})

describe('the weekly refresh', () => {
  it(
    'signs the same state anew',
    async () => {
      const before = await on.manifest()
      const run = await on.run('refresh', await trigger(on.origin, 'schedule'))
      expect(conclusions(landed(run))).toEqual({ refresh: 'success' })
      const after = await on.manifest()
      expect(after).toMatchObject({ version: before.version + 1, groups: before.groups })
      expect(after.expiresAt > before.expiresAt).toBe(true)
    },
    scenarioMs,
  )
})
