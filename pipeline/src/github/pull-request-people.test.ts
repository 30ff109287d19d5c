import { expect, test } from 'vitest'
import { findPeople } from './pull-request-people.ts'
import { startGitHubApi } from './testing/github-api.ts'

const pull = {
  title: 'Show the card',
  html_url: 'https://github.com/acme/bff/pull/12',
  user: { login: 'ann' },
  merged_by: { login: 'cy' },
}
const review = (login: string, state: string) => ({ user: { login }, state })

test('tells who wrote, approved and merged a pull request; the last review of each counts', async () => {
  await using api = await startGitHubApi({
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
    env: { GITHUB_TOKEN: 'token', GITHUB_API_URL: api.url },
  })
  expect(people).toEqual({
    title: 'Show the card',
    url: 'https://github.com/acme/bff/pull/12',
    author: 'ann',
    mergedBy: 'cy',
    approvers: ['bo'],
  })
  expect(api.asked).toHaveLength(2)
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
  await using api = await startGitHubApi({})
  const env = {
    GITHUB_TOKEN: 'token',
    GITHUB_API_URL: api.url,
    GITHUB_REPOSITORY: 'acme/other',
  }
  const elsewhere = 'https://git.acme.test/acme/bff'
  expect(await findPeople({ repository: elsewhere, pullRequest: 12, env })).toBeNull()
  expect(api.asked).toEqual([])
})
