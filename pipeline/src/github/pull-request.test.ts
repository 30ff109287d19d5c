import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { findPullRequest } from './pull-request.ts'

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
  const asked: string[] = []
  const api = await gitHubApi(asked, [
    { number: 7, merge_commit_sha: 'b'.repeat(40) },
    { number: 8, merge_commit_sha: commit },
  ])
  const env = {
    GITHUB_TOKEN: 'token',
    GITHUB_REPOSITORY: 'acme/bff',
    GITHUB_API_URL: api,
    GITHUB_EVENT_PATH: await eventFile({ head_commit: { message: 'Squashed (#99)' } }),
  }
  expect(await findPullRequest({ commit, env })).toBe(8)
  expect(asked).toEqual([`/repos/acme/bff/commits/${commit}/pulls`])
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

async function gitHubApi(asked: string[], answer: unknown): Promise<string> {
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}
