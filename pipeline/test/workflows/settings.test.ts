import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { TemplateToken } from '@actions/workflow-parser/templates/tokens/template-token'
import type { MappingToken } from '@actions/workflow-parser/templates/tokens/mapping-token'
import { describe, expect, it } from 'vitest'
import { isBasicExpression, isMapping } from '../../../scripts/workflows/github-parser.ts'
import { jobsOf, stepsOf } from '../../../scripts/workflows/jobs-of.ts'
import { scalarText } from '../../../scripts/workflows/scalar-text.ts'
import { readWorkflow } from '../../../scripts/workflows/workflow-file.ts'
import { mayRequestIdToken } from './harness/permissions.ts'

const files = ['ci', 'deploy', 'pull-request', 'refresh', 'rollout', 'rounds'] as const
const read = await Promise.all(files.map(async (name) => [name, await load(name)] as const))
const workflows = Object.fromEntries(read)
const jobs = read.flatMap(([name, workflow]) =>
  [...jobsOf(workflow)].map(({ id, job }) => ({ name: `${name}/${id}`, job, workflow })),
)

async function load(name: string) {
  const path = join('.github', 'workflows', `${name}.yml`)
  const root = join(import.meta.dirname, '..', '..', '..')
  const result = await readWorkflow(path, await readFile(join(root, path), 'utf8'))
  if ('problems' in result) throw new Error(`${path} is refused: ${result.problems[0]?.message}`)
  return result.workflow
}

function expressionsIn(token: TemplateToken): string[] {
  return [...TemplateToken.traverse(token)].flatMap(([, found]) =>
    isBasicExpression(found) ? [found.expression] : [],
  )
}

function commandsOf(job: MappingToken): string[] {
  return [...stepsOf(job)].flatMap((step) => {
    const run = step.find('run')
    return run === undefined ? [] : [scalarText(run) ?? '']
  })
}

function namesWhere(holds: (found: (typeof jobs)[number]) => boolean): string[] {
  return jobs.filter(holds).map(({ name }) => name)
}

/** The jobs that hold something worth stealing. */
const releasing = ['deploy/publish', 'refresh/refresh']
const operating = ['rollout/rollout', 'rounds/look']
const looking = 'pull-request/landing'
const privileged = ['deploy/plan', looking, ...releasing, ...operating]

function namesIn(environment: string): string[] {
  return namesWhere(({ job }) => scalarText(job.find('environment')) === environment)
}

const releaseKey = 'secrets.NEEDLE_RELEASE_KEY'

describe('the workflows', () => {
  it('name secrets in the jobs that sign and nowhere else', () => {
    const naming = namesWhere(({ job }) => expressionsIn(job).some((e) => /\bsecrets\b/.test(e)))
    expect(naming).toEqual([...releasing, ...operating])
    for (const { template } of read.map(([, workflow]) => workflow)) {
      expect(template.env).toBeUndefined()
    }
  })

  it('hand the token of GitHub to no job that runs code of functions', () => {
    const naming = namesWhere(({ job }) =>
      expressionsIn(job).some((e) => /github\.token|GITHUB_TOKEN/.test(e)),
    )
    expect(naming).toEqual(['deploy/publish'])
  })

  it('let only the jobs that reach the store ask for an identity token', () => {
    const asking = namesWhere(({ job, workflow }) => mayRequestIdToken(workflow.root, job))
    expect(asking.toSorted()).toEqual(privileged.toSorted())
  })

  it('keep code of functions and of packages out of the jobs that hold something', () => {
    const running = namesWhere(({ job }) =>
      commandsOf(job).some((c) => /needle (check|build)|npm (run|test|start)|^npm ci$/.test(c)),
    )
    expect(running).toEqual(['ci/test', 'deploy/build', 'pull-request/check'])
    expect(running.filter((name) => privileged.includes(name))).toEqual([])
  })

  it('have jobs that hold a release key only in the environment production', () => {
    expect(namesWhere(({ job }) => expressionsIn(job).includes(releaseKey))).toEqual(releasing)
    expect(namesIn('production')).toEqual(releasing)
  })

  it('move rollouts with a key and a role that introduce no code, and tell alarms without a key', () => {
    expect(namesIn('rollout')).toEqual(operating)
    for (const { job } of jobs.filter(({ name }) => operating.includes(name))) {
      const expressions = expressionsIn(job)
      expect(expressions).toContain('vars.NEEDLE_ROLLOUT_ROLE')
      expect(expressions).not.toContain('vars.NEEDLE_PUBLISH_ROLE')
      const secretsOf = [...stepsOf(job)].flatMap((step) => {
        const named = expressionsIn(step).filter((each) => each.startsWith('secrets.'))
        return named.length === 0 ? [] : [[scalarText(step.find('run'))?.split(' ')[2], ...named]]
      })
      expect(secretsOf).toEqual([
        ['rollout', 'secrets.NEEDLE_OPERATOR_KEY'],
        ['alarms', 'secrets.NEEDLE_WEBHOOK_SECRET'],
      ])
    }
  })

  it('look at production for a pull request with a role of its own, by what main has reviewed', () => {
    const job = jobs.find(({ name }) => name === looking)?.job
    const expressions = job ? expressionsIn(job) : []
    const roles = expressions.filter((each) => /_ROLE\b/.test(each) && !each.includes('=='))
    expect(roles).toEqual(['vars.NEEDLE_PULL_REQUEST_ROLE'])
    const steps = job ? [...stepsOf(job)] : []
    const refs = steps.flatMap((step) => {
      if (!scalarText(step.find('uses'))?.startsWith('actions/checkout@')) return []
      const inputs = step.find('with')
      return [inputs && isMapping(inputs) ? scalarText(inputs.find('ref')) : undefined]
    })
    expect(refs).toEqual(['main'])
    const needle = job ? commandsOf(job).filter((command) => command.includes('needle')) : []
    expect(needle).toEqual([expect.stringContaining('needle publish --dry-run ')])
  })

  it('publish one at a time, none stopped in progress', () => {
    for (const name of ['deploy', 'refresh'] as const) {
      const concurrency = workflows[name]?.template.concurrency
      if (concurrency === undefined || !isMapping(concurrency)) throw new Error('no concurrency')
      expect(scalarText(concurrency.find('group'))).toBe('needle-production')
      expect(scalarText(concurrency.find('cancel-in-progress'))).toBe('false')
    }
  })

  it('follow each deploy by a rollout that keeps no other deploy waiting', () => {
    const rollout = workflows['rollout']?.template
    // By name: a workflow_run of a name that no workflow has never comes, and nothing says so.
    const name = scalarText(workflows['deploy']?.root.find('name'))
    expect(rollout?.events.workflow_run).toEqual({
      workflows: [name],
      types: ['completed'],
      branches: ['main'],
    })
    const groups = (['deploy', 'rollout', 'rounds'] as const).map((each) => {
      const concurrency = workflows[each]?.template.concurrency
      if (concurrency === undefined || !isMapping(concurrency)) throw new Error('no concurrency')
      expect(scalarText(concurrency.find('cancel-in-progress'))).toBe('false')
      return scalarText(concurrency.find('group'))
    })
    expect(new Set(groups).size).toBe(3)
  })

  it('stop following before the hour is over that credentials of a role live', () => {
    const rollout = jobs.find(({ name }) => name === 'rollout/rollout')?.job
    const [command] = rollout ? commandsOf(rollout).filter((each) => /rollout/.test(each)) : []
    const seconds = Number(/ --until-done --timeout (\d+) /.exec(command ?? '')?.[1])
    expect(seconds).toBeLessThanOrEqual(55 * 60)
    expect(Number(scalarText(rollout?.find('timeout-minutes'))) * 60).toBeGreaterThan(seconds)
  })

  it('look after what was left every few minutes', () => {
    const [schedule] = workflows['rounds']?.template.events.schedule ?? []
    expect(schedule?.cron).toMatch(/^\d-59\/10 \* \* \* \*$/)
  })

  it('deploy main on every push and by hand, from the whole history', () => {
    expect(workflows['deploy']?.template.events).toMatchObject({
      push: { branches: ['main'] },
      workflow_dispatch: {},
    })
    const deploying = jobs.filter(({ name }) => name.startsWith('deploy/'))
    for (const { job } of deploying) {
      const [checkout] = stepsOf(job)
      const inputs = checkout?.find('with')
      expect(inputs && isMapping(inputs) && scalarText(inputs.find('fetch-depth'))).toBe('0')
    }
    expect(deploying).toHaveLength(3)
  })

  it('share no cache between the job that runs code of functions and the job with the key', () => {
    const cached = jobs.filter(({ name, job }) => {
      const steps = [...stepsOf(job)].map((step) => JSON.stringify(step))
      return name.startsWith('deploy/') && steps.some((step) => step.includes('cache'))
    })
    expect(cached).toEqual([])
  })

  it('consist of steps that are one npm or needle command each, or a remark', () => {
    for (const { name, job } of jobs) {
      for (const command of commandsOf(job)) {
        expect(`${name}: ${command}`).toMatch(
          /^[^:]+: ((npm|npx needle) |echo "::notice::)[^\n;&|]+$/,
        )
      }
    }
  })

  it('refresh well within the 30 days a manifest lives', () => {
    const [schedule] = workflows['refresh']?.template.events.schedule ?? []
    expect(schedule?.cron).toMatch(/^\d+ \d+ \* \* [0-6]$/)
  })
})
