import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findPullRequest } from './pull-request.ts'
import { startGitHubApi } from './testing/github-api.ts'

const commit = 'a'.repeat(40)
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

test('takes the number from the event that started the run', async () => {
  const env = { GITHUB_EVENT_PATH: await eventFile({ pull_request: { number: 12 } }) }
  expect(await findPullRequest({ commit, env })).toBe(12)
})

test('asks GitHub which pull request the commit came from', async () => {
  const path = `/repos/acme/bff/commits/${commit}/pulls`
  await using api = await startGitHubApi({
    [path]: [
      { number: 7, merge_commit_sha: 'b'.repeat(40) },
      { number: 8, merge_commit_sha: commit },
    ],
  })
  const env = {
    GITHUB_TOKEN: 'token',
    GITHUB_REPOSITORY: 'acme/bff',
    GITHUB_API_URL: api.url,
    GITHUB_EVENT_PATH: await eventFile({ head_commit: { message: 'Squashed (#99)' } }),
  }
  expect(await findPullRequest({ commit, env })).toBe(8)
  expect(api.asked).toEqual([path])
})

test('is unknown without event and token, and when GitHub does not answer', async () => {
  expect(await findPullRequest({ commit, env: {} })).toBeNull()
  const env = {
    GITHUB_TOKEN: 'token',
    GITHUB_REPOSITORY: 'acme/bff',
    GITHUB_API_URL: 'http://127.0.0.1:1',
    GITHUB_EVENT_PATH: '/does/not/exist',
  }
  expect(await findPullRequest({ commit, env })).toBeNull()
})

async function eventFile(event: unknown): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'needle-event-'))
  cleanups.push(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'event.json'), JSON.stringify(event))
  return join(directory, 'event.json')
}
