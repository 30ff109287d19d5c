import { readFile } from 'node:fs/promises'
import { Octokit } from '@octokit/rest'
import * as z from 'zod'

/** Where the number may be learnt; everything absent means nobody knows. */
export interface PullRequestQuestion {
  /** Full id of the commit that is built. */
  readonly commit: string
  /** `GITHUB_*` of a workflow run. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly signal?: AbortSignal
}

/**
 * The number of the pull request that brought a commit: from the event that started the workflow,
 * else from GitHub's own association of commits. Null when neither knows: a `(#12)` in a subject is
 * anyone's text and proves nothing.
 */
export async function findPullRequest(question: PullRequestQuestion): Promise<number | null> {
  return (await fromEvent(question)) ?? (await fromGitHub(question))
}

const eventSchema = z.object({ pull_request: z.object({ number: z.int().positive() }) })

async function fromEvent({ env }: PullRequestQuestion): Promise<number | null> {
  const path = env['GITHUB_EVENT_PATH']
  if (path === undefined || path === '') return null
  const event = eventSchema.safeParse(await readJson(path))
  return event.success ? event.data.pull_request.number : null
}

async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, 'utf8'))
  } catch {
    // A file that is missing or no JSON knows nothing, which is what the caller asked.
    return null
  }
}

async function fromGitHub({ commit, env, signal }: PullRequestQuestion): Promise<number | null> {
  const token = env['GITHUB_TOKEN']
  const [owner, repo] = env['GITHUB_REPOSITORY']?.split('/') ?? []
  if (!token || !owner || !repo) return null
  const octokit = new Octokit({
    auth: token,
    // Octokit logs failed requests to the console; here a failure only means unknown.
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
    ...(env['GITHUB_API_URL'] && { baseUrl: env['GITHUB_API_URL'] }),
  })
  try {
    const { data } = await octokit.rest.repos.listPullRequestsAssociatedWithCommit({
      owner,
      repo,
      commit_sha: commit,
      request: { signal: signal ?? AbortSignal.timeout(5_000) },
    })
    const merged = data.find((pull) => pull.merge_commit_sha === commit) ?? data[0]
    return merged?.number ?? null
  } catch {
    // Provenance must not make a deploy depend on GitHub's API: unknown is an honest answer.
    return null
  }
}

function ignore(): void {
  // Nothing to do: see where it is given.
}
