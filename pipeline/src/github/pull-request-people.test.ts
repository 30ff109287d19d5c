import { createServer } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { findPeople } from './pull-request-people.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup()
})

const pull = {
  title: 'Show the card',
  html_url: 'https://github.com/acme/bff/pull/12',
  user: { login: 'ann' },
  merged_by: { login: 'cy' },
}
const review = (login: string, state: string) => ({ user: { login }, state })

test('tells who wrote, approved and merged a pull request; the last review of each counts', async () => {
  const asked: string[] = []
  const api = await gitHubApi(asked, {
    '/repos/acme/bff/pulls/12': pull,
    '/repos/acme/bff/pulls/12/reviews?per_page=100': [
      review('bo', 'CHANGES_REQUESTED'),
      review('bo', 'APPROVED'),
      review('bo', 'COMMENTED'),
      review('di', 'APPROVED'),
      review('di', 'DISMISSED'),
    ],
  })
  const people = await findPeople({
    repository: 'https://github.com/acme/bff.git',
    pullRequest: 12,
    env: { GITHUB_TOKEN: 'token', GITHUB_API_URL: api },
  })
  expect(people).toEqual({
    title: 'Show the card',
    url: 'https://github.com/acme/bff/pull/12',
    author: 'ann',
    mergedBy: 'cy',
    approvers: ['bo'],
  })
  expect(asked).toHaveLength(2)
})

test.each([
  ['without a token', {}],
  ['when GitHub does not answer', { GITHUB_TOKEN: 'token', GITHUB_API_URL: 'http://127.0.0.1:1' }],
])('is unknown %s', async (_, env) => {
  expect(
    await findPeople({ repository: 'git@github.com:acme/bff.git', pullRequest: 12, env }),
  ).toBeNull()
})

test('never asks about a repository that may be another one', async () => {
  const asked: string[] = []
  const api = await gitHubApi(asked, {})
  const env = {
    GITHUB_TOKEN: 'token',
    GITHUB_API_URL: api,
    GITHUB_REPOSITORY: 'acme/other',
  }
  const elsewhere = 'https://git.acme.test/acme/bff'
  expect(await findPeople({ repository: elsewhere, pullRequest: 12, env })).toBeNull()
  expect(asked).toEqual([])
})

async function gitHubApi(
  asked: string[],
  answers: Readonly<Record<string, unknown>>,
): Promise<string> {
  const server = createServer((request, response) => {
    const url = request.url ?? ''
    asked.push(url)
    response.statusCode = url in answers ? 200 : 404
    response.setHeader('content-type', 'application/json').end(JSON.stringify(answers[url]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port')
  return `http://127.0.0.1:${address.port}`
}
