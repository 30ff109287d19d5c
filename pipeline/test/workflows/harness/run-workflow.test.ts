import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { completed, openPullRequest, push, trigger, type WorkflowEvent } from './event.ts'
import { git } from './git.ts'
import { commit, createOrigin, type Origin } from './origin.ts'
import { runWorkflow, type WorkflowRun, type WorkflowRunOptions } from './run-workflow.ts'

const file = '.github/workflows/fixture.yml'
const sha = 'a'.repeat(40)

let directory: string
let origin: Origin

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'needle-workflow-'))
  origin = await createOrigin(directory)
})
afterEach(() => rm(directory, { recursive: true, force: true }))

type Given = Partial<WorkflowRunOptions>

async function runOn(event: WorkflowEvent, given: Given = {}): Promise<WorkflowRun | undefined> {
  return runWorkflow({ origin, event, file, directory: join(directory, 'run'), ...given })
}

/** Pushes a repository with this workflow to main and runs it. */
async function run(workflow: string, given: Given = {}): Promise<WorkflowRun> {
  await commit(origin, 'A workflow', { [file]: workflow })
  const result = await runOn(await push(origin), given)
  if (result === undefined) throw new Error('not triggered')
  return result
}

function logs({ jobs }: WorkflowRun): Record<string, string> {
  return Object.fromEntries(
    Object.values(jobs).map(({ id, steps }) => [id, steps.map(({ log }) => log).join('')]),
  )
}

function conclusions({ jobs }: WorkflowRun): Record<string, string> {
  return Object.fromEntries(Object.values(jobs).map(({ id, conclusion }) => [id, conclusion]))
}

const oneJob = (steps: string, job = ''): string => `
on: push
jobs:
  only:
    runs-on: ubuntu-latest
${job}
    steps:
${steps}`

const cloudRoles = {
  writer: { accessKeyId: 'WRITER', secretAccessKey: 's', sessionToken: 't' },
}

const assuming = (role: string): string => `
    steps:
      - uses: aws-actions/configure-aws-credentials@${sha}
        with: { aws-region: us-east-1, role-to-assume: ${role} }
      - if: always()
        run: echo "<$AWS_ACCESS_KEY_ID $AWS_REGION>$ACTIONS_ID_TOKEN_REQUEST_TOKEN"
`

const checkout = (inputs: string): string => `
      - uses: actions/checkout@${sha}
        with: { ${inputs} }
      - run: git rev-list --count HEAD; git branch --show-current; git branch --remotes --format='%(refname:short)'; cat value`

describe('jobs', () => {
  it('run in the order of needs, whatever the order of the file, and hand on outputs', async () => {
    const result = await run(`
on: push
jobs:
  last:
    needs: [middle, first]
    runs-on: ubuntu-latest
    steps:
      - run: echo "$GIVEN $RESULT"
        env:
          GIVEN: \${{ needs.first.outputs.word }}
          RESULT: \${{ needs.middle.result }}
  middle:
    needs: first
    runs-on: ubuntu-latest
    steps: [{ run: 'true' }]
  first:
    runs-on: ubuntu-latest
    outputs:
      word: \${{ steps.say.outputs.word }}
    steps:
      - id: say
        run: echo word=hello >> "$GITHUB_OUTPUT"
`)
    expect(Object.keys(result.jobs)).toEqual(['first', 'middle', 'last'])
    expect(logs(result)['last']).toBe('hello success\n')
  })

  it('are skipped after a failed one unless their condition asks for it', async () => {
    const result = await run(`
on: push
jobs:
  fails: { runs-on: ubuntu-latest, steps: [{ run: exit 3 }] }
  dependent: { needs: fails, runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  indirect: { needs: dependent, runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  cleanup: { needs: fails, if: failure(), runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  always: { needs: indirect, if: always(), runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  independent: { runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`)
    expect(conclusions(result)).toEqual({
      fails: 'failure',
      dependent: 'skipped',
      indirect: 'skipped',
      cleanup: 'success',
      always: 'success',
      independent: 'success',
    })
    expect(result.conclusion).toBe('failure')
  })

  it('run only where their condition on the event holds', async () => {
    const workflow = `
on: [push, workflow_dispatch]
jobs:
  main: { if: github.ref == 'refs/heads/main', runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  configured: { if: vars.STORE != '', runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
  asked: { if: inputs.sure == 'yes', runs-on: ubuntu-latest, steps: [{ run: 'true' }] }
`
    expect(conclusions(await run(workflow))).toEqual({
      main: 'success',
      configured: 'skipped',
      asked: 'skipped',
    })
    const dispatched = await runOn(await trigger(origin, 'workflow_dispatch', { sure: 'yes' }), {
      variables: { STORE: 'file:/x' },
      directory: join(directory, 'second'),
    })
    expect(dispatched && conclusions(dispatched)).toEqual({
      main: 'success',
      configured: 'success',
      asked: 'success',
    })
  })

  it('each start from an empty machine', async () => {
    const result = await run(`
on: push
jobs:
  one:
    runs-on: ubuntu-latest
    steps: [{ run: 'touch left "$HOME/left" "$RUNNER_TEMP/left"' }]
  two:
    needs: one
    runs-on: ubuntu-latest
    steps: [{ run: 'ls -A; ls -A "$HOME"; ls "$RUNNER_TEMP" | grep left || true' }]
`)
    expect(logs(result)['two']).toBe('')
  })
})

describe('the environment', () => {
  it('comes from workflow, job and step, the nearer one winning', async () => {
    const result = await run(`
on: push
env: { A: workflow, B: workflow, C: workflow }
jobs:
  only:
    runs-on: ubuntu-latest
    env: { B: job, C: job }
    steps:
      - run: echo $A $B $C $D
        env: { C: step, D: "\${{ env.B }}" }
      - run: echo $A $B $C $D
`)
    expect(logs(result)['only']).toBe('workflow job step job\nworkflow job job\n')
  })

  it('takes in what earlier steps wrote to GITHUB_ENV and GITHUB_PATH', async () => {
    const result = await run(
      oneJob(`
      - run: |
          printf 'ONE=1\\nMANY<<END\\nx\\ny\\nEND\\n' >> "$GITHUB_ENV"
          mkdir bin; printf '#!/bin/sh\\necho mine' > bin/tool; chmod +x bin/tool
          echo "$PWD/bin" >> "$GITHUB_PATH"
      - run: echo "$ONE $MANY"; tool
        env: { ECHO: "\${{ env.ONE }}" }`),
    )
    expect(logs(result)['only']).toBe('1 x\ny\nmine\n')
  })

  it('has nothing of the process that runs the tests', async () => {
    process.env['NEEDLE_TEST_LEAK'] = 'leaked'
    const result = await run(oneJob('      - run: env'))
    delete process.env['NEEDLE_TEST_LEAK']
    expect(logs(result)['only']).not.toContain('leaked')
    expect(logs(result)['only']).not.toMatch(/^VITEST/m)
  })

  it('tells the step about the event', async () => {
    const result = await run(
      oneJob('      - run: echo "$GITHUB_EVENT_NAME $GITHUB_REF $GITHUB_SHA $GITHUB_RUN_ID"'),
    )
    const tip = await git(origin.bare, 'rev-parse', 'main')
    expect(logs(result)['only']).toBe(`push refs/heads/main ${tip} 4711\n`)
  })
})

describe('secrets', () => {
  const secrets = { KEY: 'private-key' }

  it('are seen only by the step that names them', async () => {
    const result = await run(
      oneJob(`
      - run: env
      - run: echo "$MINE"
        env: { MINE: "\${{ secrets.KEY }}" }
      - run: env; cat "$GITHUB_EVENT_PATH"`),
      { secrets },
    )
    const [before, names, after] = result.jobs['only']?.steps.map(({ log }) => log) ?? []
    expect(before).not.toContain('private-key')
    expect(names).toBe('private-key\n')
    expect(after).not.toContain('private-key')
  })

  it('of an environment are empty in a job outside it', async () => {
    const step = `steps: [{ run: 'echo "<$MINE>"', env: { MINE: "\${{ secrets.KEY }}" } }]`
    const result = await run(
      `
on: push
jobs:
  inside: { environment: production, runs-on: ubuntu-latest, ${step} }
  named: { environment: { name: production }, runs-on: ubuntu-latest, ${step} }
  outside: { runs-on: ubuntu-latest, ${step} }
`,
      { environmentSecrets: { production: secrets } },
    )
    expect(logs(result)).toEqual({
      inside: '<private-key>\n',
      named: '<private-key>\n',
      outside: '<>\n',
    })
  })

  it('of the cloud go only to a job that may ask for an identity token, and only for a role that trusts it', async () => {
    const result = await run(
      `
on: push
permissions: { contents: read }
jobs:
  granted:
    runs-on: ubuntu-latest
    permissions: { id-token: write }${assuming('writer')}
  not-granted:
    runs-on: ubuntu-latest${assuming('writer')}
  stranger:
    runs-on: ubuntu-latest
    permissions: { id-token: write }${assuming('stranger')}
`,
      { cloudRoles },
    )
    expect(conclusions(result)).toEqual({
      granted: 'success',
      'not-granted': 'failure',
      stranger: 'failure',
    })
    expect(logs(result)['granted']).toContain('<WRITER us-east-1>token')
    expect(logs(result)['not-granted']).toMatch(/id-token[^]*< >\n$/)
    expect(logs(result)['stranger']).toMatch(/Not authorized[^]*< >token/)
  })

  it('are not for a pull request from a fork, nor are secrets', async () => {
    const workflow = `
on: pull_request
jobs:
  only:
    runs-on: ubuntu-latest
    permissions: { id-token: write }${assuming('writer')}      - if: always()
        run: echo "<$MINE>"
        env: { MINE: "\${{ secrets.KEY }}" }
`
    await commit(origin, 'Base', { [file]: workflow })
    await push(origin)
    await git(origin.work, 'checkout', '--quiet', '-b', 'change')
    await commit(origin, 'Change', { value: 'changed\n' })
    const given = { secrets: { KEY: 'private-key' }, cloudRoles }
    const ofFork = await openPullRequest(origin, { branch: 'change', from: 'stranger/shop' })
    const forked = await runOn(ofFork, given)
    expect(forked && logs(forked)['only']).toMatch(/id-token[^]*< >\n<>\n$/)
    const own = await runOn(await openPullRequest(origin, { branch: 'change' }), {
      ...given,
      directory: join(directory, 'second'),
    })
    expect(own && logs(own)['only']).toMatch(/<WRITER us-east-1>.+\n<private-key>\n$/)
  })
})

describe('steps', () => {
  it('stop at the first failure, but for those that ask to run', async () => {
    const result = await run(
      oneJob(`
      - run: exit 1
      - run: echo skipped
      - if: failure()
        run: echo after a failure
      - if: always()
        run: echo always`),
    )
    expect(logs(result)['only']).toBe('after a failure\nalways\n')
    expect(result.conclusion).toBe('failure')
  })

  it('forgiven by continue-on-error keep their outcome and do not fail the job', async () => {
    const result = await run(
      oneJob(`
      - id: risky
        continue-on-error: true
        run: exit 1
      - run: echo "$OUTCOME"
        env: { OUTCOME: "\${{ steps.risky.outcome }} \${{ steps.risky.conclusion }}" }`),
    )
    expect(logs(result)['only']).toBe('failure success\n')
    expect(result.conclusion).toBe('success')
  })

  it.each([
    ['the first failing line', '', 'false\n          echo on', 'failure'],
    ['a failure inside a pipe when bash is named', 'shell: bash', 'false | true', 'failure'],
    ['nothing inside a pipe when no shell is named', '', 'false | true', 'success'],
  ])('stop at %s', async (_what, shell, script, conclusion) => {
    const result = await run(
      oneJob(
        `      - run: |\n          ${script}`,
        shell === '' ? '' : `    defaults: { run: { ${shell} } }`,
      ),
    )
    expect(result.conclusion).toBe(conclusion)
  })

  it('never have an expression read as shell when it comes through env', async () => {
    const result = await run(
      oneJob(`
      - run: echo "$MESSAGE"
        env: { MESSAGE: "\${{ format('{0}', '$(echo executed)') }}" }`),
    )
    expect(logs(result)['only']).toBe('$(echo executed)\n')
  })

  it('are ended as well when the run was cancelled before they began', async () => {
    const result = await run(oneJob('      - run: sleep 60'), { signal: AbortSignal.abort() })
    expect(result.conclusion).toBe('failure')
  })

  it('are ended, with what they started, when the run is cancelled', async () => {
    const result = await run(oneJob('      - run: sleep 60 & wait'), {
      signal: AbortSignal.timeout(300),
    })
    expect(result.conclusion).toBe('failure')
  })
})

describe('checkout', () => {
  it('clones one commit by default and all history for depth 0', async () => {
    await commit(origin, 'First', { value: 'one\n' })
    await commit(origin, 'Second', { value: 'two\n' })
    const shallow = await run(oneJob(checkout('persist-credentials: false')))
    expect(logs(shallow)['only']).toBe('1\nmain\norigin/main\ntwo\n')
    const full = await run(oneJob(checkout('fetch-depth: 0')), {
      directory: join(directory, 'second'),
    })
    expect(logs(full)['only']).toBe('4\nmain\norigin/main\ntwo\n')
  })

  it('takes the commit of the event, not what main has become since', async () => {
    await commit(origin, 'First', { value: 'one\n', [file]: oneJob(checkout('fetch-depth: 0')) })
    const event = await push(origin)
    await commit(origin, 'Second', { value: 'two\n' })
    await push(origin)
    const result = await runOn(event)
    expect(result && logs(result)['only']).toBe('1\nmain\norigin/main\none\n')
  })

  it('leaves a token behind unless told not to', async () => {
    await commit(origin, 'First', { value: 'one\n' })
    const read = `
      - run: git config --get-all http.https://github.com/.extraheader || echo none`
    const kept = await run(oneJob(`      - uses: actions/checkout@${sha}${read}`))
    expect(logs(kept)['only']).toContain('AUTHORIZATION')
    const dropped = await run(oneJob(checkout('persist-credentials: false') + read), {
      directory: join(directory, 'second'),
    })
    expect(logs(dropped)['only']).toMatch(/none\n$/)
  })

  it('takes the tip of the branch that is asked for, whatever the event is of', async () => {
    const workflow = oneJob(checkout('ref: main')).replace('on: push', 'on: pull_request')
    await commit(origin, 'Base', { value: 'base\n', [file]: workflow })
    await push(origin)
    await git(origin.work, 'checkout', '--quiet', '-b', 'change')
    await commit(origin, 'Change', { value: 'changed\n' })
    const event = await openPullRequest(origin, { branch: 'change' })
    const result = await runOn(event)
    expect(result && logs(result)['only']).toBe('1\nmain\norigin/main\nbase\n')
  })

  it('of a pull request is the merge of both branches, beside the whole history', async () => {
    const workflow = oneJob(checkout('fetch-depth: 0')).replace('on: push', 'on: pull_request')
    await commit(origin, 'Base', { value: 'base\n', [file]: workflow })
    await push(origin)
    await git(origin.work, 'checkout', '--quiet', '-b', 'change')
    await commit(origin, 'Change', { value: 'changed\n' })
    const event = await openPullRequest(origin, { branch: 'change' })
    const result = await runOn(event)
    expect(result && logs(result)['only']).toBe(
      '3\norigin/change\norigin/main\npull/7/merge\nchanged\n',
    )
  })
})

describe('artifacts', () => {
  it('travel between jobs without hidden files, and are never overwritten', async () => {
    const upload = (name: string): string => `
      - uses: actions/upload-artifact@${sha}
        with: { name: ${name}, path: .needle/build, if-no-files-found: error }`
    const result = await run(`
on: push
jobs:
  make:
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p .needle/build/deep; cd .needle/build; echo a > a; echo b > deep/b; echo c > .hidden${upload('build')}
  take:
    needs: make
    runs-on: ubuntu-latest
    steps:
      - uses: actions/download-artifact@${sha}
        with: { name: build, path: taken }
      - run: find taken -type f | sort${upload('nothing').replace('.needle/build', 'empty')}
  again:
    needs: make
    runs-on: ubuntu-latest
    steps:
      - run: mkdir -p .needle/build; touch .needle/build/a${upload('build')}
  missing:
    runs-on: ubuntu-latest
    steps: [{ uses: "actions/download-artifact@${sha}", with: { name: other } }]
`)
    expect(logs(result)).toEqual({
      make: '',
      take: 'taken/a\ntaken/deep/b\nNo files were found with the provided path: empty',
      again: 'an artifact with this name already exists',
      missing: "Artifact 'other' not found",
    })
  })
})

describe('the end of another run', () => {
  const following = `
on:
  workflow_run:
    workflows: [Deploy]
    types: [completed]
    branches: [main]
jobs:
  only:
    runs-on: ubuntu-latest
    steps:
      - run: echo "$GITHUB_REF $NAME $CONCLUSION"
        env:
          NAME: \${{ github.event.workflow_run.name }}
          CONCLUSION: \${{ github.event.workflow_run.conclusion }}
`
  it.each([
    ['of that workflow and branch', 'Deploy', 'main', true],
    ['of another workflow', 'CI', 'main', false],
    ['of another branch', 'Deploy', 'topic', false],
  ])('%s starts it or not, on main', async (_what, workflow, branch, isStarted) => {
    await commit(origin, 'A workflow', { [file]: following })
    await push(origin)
    const event = await push(origin, branch)
    const result = await runOn(await completed(origin, { workflow, event, conclusion: 'failure' }))
    expect(result && logs(result)).toEqual(
      isStarted ? { only: 'refs/heads/main Deploy failure\n' } : undefined,
    )
  })
})

describe('what is not played', () => {
  it.each([
    ['an action', oneJob(`      - uses: actions/cache@${sha}`), /actions\/cache@a+" is not played/],
    [
      'an input',
      oneJob(`      - uses: actions/checkout@${sha}\n        with: { lfs: true }`),
      /input "lfs" .* is not played/,
    ],
    [
      'a key of a job',
      oneJob(`      - run: 'true'`, '    container: node'),
      /"container" of a job is not played/,
    ],
    ['a shell', oneJob(`      - { run: 'true', shell: pwsh }`), /shell "pwsh" is not played/],
    [
      'a filter',
      oneJob(`      - run: 'true'`).replace('on: push', 'on: { push: { paths: [x] } }'),
      /on\.push\.paths is not played/,
    ],
    ['a broken file', 'on: push', /fixture.yml: Required property is missing: jobs/],
  ])('is an error and never silently skipped: %s', async (_what, workflow, message) => {
    await expect(run(workflow)).rejects.toThrow(message)
  })

  it('is a workflow the event does not trigger', async () => {
    await commit(origin, 'A workflow', {
      [file]: oneJob(`      - run: 'true'`).replace(
        'on: push',
        'on: { push: { branches: [main] } }',
      ),
    })
    expect(await runOn(await push(origin))).toBeDefined()
    expect(await runOn(await push(origin, 'topic'), { directory: join(directory, 'b') })).toBe(
      undefined,
    )
    expect(await runOn(await trigger(origin, 'schedule'))).toBe(undefined)
  })
})
