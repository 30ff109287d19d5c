import { Octokit } from '@octokit/rest'

/** Who is behind a pull request, as GitHub tells it. Logins. */
export interface PullRequestPeople {
  readonly title: string
  readonly url: string
  readonly author: string | null
  readonly mergedBy: string | null
  /** Whose last review approved it. */
  readonly approvers: readonly string[]
}

export interface PeopleQuestion {
  /** Address of the repository, as provenance has it. */
  readonly repository: string | null
  readonly pullRequest: number
  /** `GITHUB_TOKEN`; `GITHUB_REPOSITORY` where no address was recorded; `GITHUB_API_URL`. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal | undefined
}

/** Null when there is no token, the repository is not on GitHub, or GitHub does not answer. */
export async function findPeople(question: PeopleQuestion): Promise<PullRequestPeople | null> {
  const { env, pullRequest, signal } = question
  const token = env['GITHUB_TOKEN']
  const [owner, repo] = repositoryOf(question)
  if (!token || !owner || !repo) return null
  const octokit = new Octokit({
    auth: token,
    // Octokit logs failed requests to the console; here a failure only means unknown.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    ...(env['GITHUB_API_URL'] && { baseUrl: env['GITHUB_API_URL'] }),
  })
  const overdue = AbortSignal.timeout(5_000)
  const request = { signal: signal === undefined ? overdue : AbortSignal.any([signal, overdue]) }
  const where = { owner, repo, pull_number: pullRequest, request }
  try {
    const [pull, reviews] = await Promise.all([
      octokit.rest.pulls.get(where),
      octokit.rest.pulls.listReviews({ ...where, per_page: 100 }),
    ])
    return {
      title: pull.data.title,
      url: pull.data.html_url,
      author: pull.data.user?.login ?? null,
      mergedBy: pull.data.merged_by?.login ?? null,
      approvers: approversOf(reviews.data),
    }
  } catch {
    // A trace must not depend on GitHub's API: unknown is an honest answer.
    return null
  }
}

/** Reviews come oldest first; a comment takes no approval back, anything else does. */
function approversOf(
  reviews: readonly { readonly state: string; readonly user: { readonly login: string } | null }[],
): readonly string[] {
  const last = new Map<string, string>()
  for (const { user, state } of reviews) {
    if (user !== null && state !== 'COMMENTED') last.set(user.login, state)
  }
  return [...last].filter(([, state]) => state === 'APPROVED').map(([login]) => login)
}

function repositoryOf({ repository, env }: PeopleQuestion): readonly string[] {
  if (repository === null) return env['GITHUB_REPOSITORY']?.split('/') ?? []
  const match = /github\.com[/:]([^/]+)\/([^/]+?)(?:\.git)?\/?$/.exec(repository)
  return match?.[1] && match[2] ? [match[1], match[2]] : []
}

function ignore(): void {
  // Nothing to do: see where it is given.
}
