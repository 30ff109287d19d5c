import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runCommand } from '../author/run-command.ts'
import {
  conclusions,
  createDeployedProject,
  type DeployedProject,
  type DeployRun,
  greeting,
  landed,
  logOf,
  scenarioMs,
} from './deployed-project.ts'
import { openPullRequest, push } from './harness/event.ts'
import { git } from './harness/git.ts'
import { commit, type Change } from './harness/origin.ts'
import { project } from './project-origin.ts'

let on: DeployedProject

/** As people on call do, without a clone. */
async function operate(...args: string[]): Promise<void> {
  const env = {
    NEEDLE_STORE: `file:${on.store}`,
    NEEDLE_TRUST: on.trustFile,
    NEEDLE_OPERATOR_KEY: on.keys.operator,
  }
  const run = await runCommand([...args, '--actor', 'Bo'], { cwd: on.directory, env })
  if (run.exitCode !== 0) throw new Error(run.stdout + run.stderr)
}

async function merge(message: string, change: Change): Promise<void> {
  await commit(on.origin, message, change)
  landed(await on.run('deploy', await push(on.origin)))
}

/** Opens a pull request from main as it is; the work tree goes back to main. */
async function propose(
  change: Change,
  { from, variables = {} }: { from?: string; variables?: Readonly<Record<string, string>> } = {},
): Promise<DeployRun> {
  const before = [await on.objectsInStore(), await on.manifest()]
  await git(on.origin.work, 'checkout', '--quiet', '-B', 'change')
  await commit(on.origin, 'Change', change)
  const event = await openPullRequest(on.origin, {
    branch: 'change',
    ...(from !== undefined && { from }),
  })
  await git(on.origin.work, 'checkout', '--quiet', 'main')
  await git(on.origin.bare, 'branch', '--quiet', '-D', 'change')
  const run = await on.run('pull-request', event, { variables })
  expect([await on.objectsInStore(), await on.manifest()]).toEqual(before)
  return run
}

function annotationsOf(run: DeployRun): string[] {
  return logOf(run)
    .split('\n')
    .filter((line) => /^::(error|warning|notice)/.test(line))
}

const looked = { check: 'success', landing: 'success', 'landing-unseen': 'skipped' }
const unseen = { check: 'success', landing: 'skipped', 'landing-unseen': 'success' }

beforeAll(async () => {
  on = await createDeployedProject(greeting('hello'))
  await merge('Greet badly', greeting('bad'))
  await operate('rollback', 'shop/greeting', '--reason', '500s since 10:00')
}, scenarioMs)
afterAll(() => on[Symbol.asyncDispose]())

describe('a pull request', () => {
  it(
    'of a function that somebody holds is told so, and passes',
    async () => {
      await operate('hold', 'shop/greeting', '--reason', 'Black Friday')
      const run = await propose(greeting('hey'))
      expect(conclusions(run)).toEqual(looked)
      expect(annotationsOf(run)).toEqual([
        expect.stringMatching(
          /^::warning file=functions\/shop\/greeting\/index\.ts,title=FUNCTION_HELD::.* by Bo .*: Black Friday/,
        ),
      ])
      expect(logOf(run)).toMatch(/shop\/greeting {2}not changed: held .* by Bo .*: Black Friday/)
      await operate('clear', 'shop/greeting', '--hold', '--reason', 'it is over')
    },
    scenarioMs,
  )

  it(
    'Landing a quarantined pair again fails the pull request with the command that would clear it (DESIGN, Rollout)',
    async () => {
      await merge('Revert "Greet badly"', greeting('hello'))
      const run = await propose(greeting('bad'))
      expect(conclusions(run)).toEqual({ ...looked, landing: 'failure' })
      const [remark = '', ...more] = annotationsOf(run)
      expect(more).toEqual([])
      expect(remark).toMatch(
        /^::error file=functions\/shop\/greeting\/index\.ts,title=PAIR_QUARANTINED::.* by Bo .*: 500s since 10:00/,
      )

      const [, command = ''] =
        /: needle (clear shop\/greeting --quarantine \S+) --reason/.exec(remark) ?? []
      await operate(...command.split(' '), '--reason', 'the ERP is fixed')
      expect(conclusions(await propose(greeting('bad')))).toEqual(looked)
    },
    scenarioMs,
  )

  it(
    'without a role, or from a fork, is told in one line that nobody looked, and passes',
    async () => {
      const roleless = await propose(greeting('hey'), {
        variables: { NEEDLE_PULL_REQUEST_ROLE: '' },
      })
      const forked = await propose(greeting('hey'), { from: 'stranger/shop' })
      for (const run of [roleless, forked]) {
        expect(conclusions(run)).toEqual(unseen)
        expect(annotationsOf(run)).toEqual([
          expect.stringMatching(/^::notice::What a merge would do .* was not looked at/),
        ])
      }
    },
    scenarioMs,
  )

  it(
    'that brings a needle of its own does not have it run where the role is',
    async () => {
      const seen = join(on.directory, 'seen-by-needle')
      const bin = await readFile(join(project, 'pipeline/bin/needle.js'), 'utf8')
      const spying = bin.replace(
        '\nconst source',
        `\n;(await import('node:fs')).appendFileSync('${seen}', JSON.stringify(process.env) + '\\n')\nconst source`,
      )
      const run = await propose({ ...greeting('hey'), 'pipeline/bin/needle.js': spying })
      expect(conclusions(run)).toEqual(looked)
      const environments = (await readFile(seen, 'utf8')).trim().split('\n')
      expect(environments).toHaveLength(2)
      for (const environment of environments) {
        expect(environment).toContain('"GITHUB_JOB":"check"')
        expect(environment).not.toMatch(/looker-secret|AWS_|ID_TOKEN|NEEDLE_/)
      }
    },
    scenarioMs,
  )
})
