import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'
import { type GitHubApi, startGitHubApi } from '../../src/github/testing/github-api.ts'
import { runCommand } from '../author/run-command.ts'
import {
  createPublishedRepository,
  type PublishedRepository,
} from '../publisher/published-repository.ts'

// Many Git processes: seconds on a busy machine.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })

const run = 'https://github.com/acme/bff/actions/runs/345'
const title = 'Show the card'

let on: PublishedRepository
let gitHub: GitHubApi
/** What a job on GitHub, or somebody with a token, has. */
let job: Readonly<Record<string, string>>
let commits: readonly string[]

beforeAll(async () => {
  on = await createPublishedRepository()
  await on.repository.git.addRemote('origin', 'https://github.com/acme/bff.git')
  await on.publish({ 'shop/card': 'card 1' }) // by hand
  const byHand = await on.repository.git.revparse(['HEAD'])
  const merged = await on.build({ 'shop/card': 'card 2' }, { message: 'Show card 2' })
  commits = [byHand, merged]
  gitHub = await startGitHubApi({
    [`/repos/acme/bff/commits/${merged}/pulls`]: [{ number: 12, merge_commit_sha: merged }],
    '/repos/acme/bff/pulls/12': {
      title,
      html_url: 'https://github.com/acme/bff/pull/12',
      user: { login: 'ada' },
      merged_by: { login: 'cy' },
    },
    '/repos/acme/bff/pulls/12/reviews?per_page=100': [
      { user: { login: 'bo' }, state: 'APPROVED' },
      { user: { login: 'di' }, state: 'CHANGES_REQUESTED' },
      { user: { login: 'ed' }, state: 'APPROVED' },
    ],
  })
  job = { GITHUB_TOKEN: 'token', GITHUB_API_URL: gitHub.url }
  const published = await on.needle(['publish'], {
    ...job,
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: 'acme/bff',
    GITHUB_RUN_ID: '345',
    GITHUB_ACTOR: 'cy',
  })
  if (published.exitCode !== 0) throw new Error(published.stdout)
})
afterAll(async () => {
  await on[Symbol.asyncDispose]()
  await gitHub[Symbol.asyncDispose]()
})

/** What `needle` prints for people. */
async function told(args: readonly string[], env: Readonly<Record<string, string>>) {
  const { directory } = on.repository
  const { exitCode, stdout, stderr } = await runCommand(args, {
    cwd: directory,
    env: { ...on.env, ...env },
  })
  if (exitCode !== 0) throw new Error(stdout + stderr)
  return stdout
}

const traceSchema = z.object({ releases: z.array(z.object({ revision: z.string() })) })

/** Of `card 2` and of `card 1`. */
async function revisions(): Promise<readonly string[]> {
  const { json } = await on.needle(['trace', 'shop/card'])
  return traceSchema.parse(json).releases.map(({ revision }) => revision)
}

/** The rows of a trace by their names. */
function rowsOf(text: string): Readonly<Record<string, string>> {
  const [head = ''] = text.split('\n\n')
  const rows = head.matchAll(/^ {2}(\S+(?: \S+)*) {2,}(.*)$/gm)
  return Object.fromEntries([...rows].map(([, name = '', value = '']) => [name, value]))
}

test('a release that came by a pull request is told with its commit, the people and its build', async () => {
  const [merged = ''] = await revisions()
  const rows = rowsOf(await told(['trace', merged], job))
  expect(rows).toMatchObject({
    commit: `${commits[1]} "Show card 2"`,
    author: expect.stringMatching(/^Ada Author <ada@example\.test>, 20\S+$/),
    repository: 'https://github.com/acme/bff.git',
    'pull request': `#12 "${title}" https://github.com/acme/bff/pull/12`,
    'approved by': 'bo, ed',
    'merged by': 'cy',
    built: expect.stringMatching(`^20\\S+, ${run}$`),
  })
})

test('without a token it is told by its number, and how to learn more', async () => {
  const [merged = ''] = await revisions()
  const text = await told(['trace', merged], {})
  expect(rowsOf(text)).toMatchObject({ 'pull request': '#12' })
  expect(Object.keys(rowsOf(text))).not.toContain('approved by')
  expect(text).toContain('Who approved the pull request: set GITHUB_TOKEN')
})

test('one that was published by hand says so, and asks GitHub about no pull request', async () => {
  const [, byHand = ''] = await revisions()
  const before = gitHub.asked.length
  const rows = rowsOf(await told(['trace', byHand], job))
  expect(rows).toMatchObject({
    commit: expect.stringContaining(`${commits[0]} "`),
    'pull request': 'none known',
    built: expect.stringMatching(/^20\S+, by hand$/),
  })
  expect(gitHub.asked).toHaveLength(before)
})

test('a function lists its releases with commit, author, pull request and title', async () => {
  const text = await told(['trace', 'shop/card'], job)
  const [merged, byHand] = text.split('Releases, newest first\n')[1]?.split('\n') ?? []
  expect(merged).toContain(String(commits[1]).slice(0, 12))
  expect(merged).toMatch(new RegExp(` {2}Ada Author <ada@example.test> +#12 +${title}$`))
  expect(byHand).toContain(String(commits[0]).slice(0, 12))
  expect(byHand).not.toContain('#')
})
