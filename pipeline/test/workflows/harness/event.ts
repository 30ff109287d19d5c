import { git } from './git.ts'
import type { Origin } from './origin.ts'

/** What the origin is called. */
export const repository = 'example/shop'

/** Something that happened to the origin and may start a workflow. */
export interface WorkflowEvent {
  readonly name: 'push' | 'pull_request' | 'schedule' | 'workflow_dispatch' | 'workflow_run'
  /** `refs/heads/main`, or `refs/pull/7/merge` for a pull request. */
  readonly ref: string
  /** The commit that is checked out. */
  readonly sha: string
  /** Target and source branch of a pull request, otherwise empty. */
  readonly baseRef: string
  readonly headRef: string
  /** Default false. GitHub gives a pull request from a fork neither secrets nor an identity token. */
  readonly isFromFork?: boolean
  /** What `github.event` holds. */
  readonly payload: Readonly<Record<string, unknown>>
}

/** Pushes the work tree's HEAD to `branch`. */
export async function push(origin: Origin, branch = 'main'): Promise<WorkflowEvent> {
  const before = await tip(origin, `refs/heads/${branch}`)
  await git(origin.work, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`)
  const after = await tip(origin, `refs/heads/${branch}`)
  const message = await git(origin.bare, 'log', '-1', '--format=%B', after)
  return {
    name: 'push',
    ref: `refs/heads/${branch}`,
    sha: after,
    baseRef: '',
    headRef: '',
    payload: {
      ref: `refs/heads/${branch}`,
      before,
      after,
      head_commit: { id: after, message },
    },
  }
}

/**
 * Pushes the work tree's HEAD to `branch` and opens pull request `number` with it. As on GitHub,
 * what is checked out is the merge of the two, kept as `refs/pull/<number>/merge`. `from` names the
 * repository that the branch is said to lie in; another one than the origin is a fork.
 */
export async function openPullRequest(
  origin: Origin,
  {
    branch,
    base = 'main',
    number = 7,
    from = repository,
  }: { branch: string; base?: string; number?: number; from?: string },
): Promise<WorkflowEvent> {
  await git(origin.work, 'push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`)
  const [baseSha, headSha] = [
    await tip(origin, `refs/heads/${base}`),
    await tip(origin, `refs/heads/${branch}`),
  ]
  const tree = await git(origin.bare, 'merge-tree', '--write-tree', baseSha, headSha)
  const message = `Merge ${headSha} into ${baseSha}`
  const parents = ['-p', baseSha, '-p', headSha]
  const sha = await git(origin.bare, 'commit-tree', tree, ...parents, '-m', message)
  const ref = `refs/pull/${number}/merge`
  await git(origin.bare, 'update-ref', ref, sha)
  return {
    name: 'pull_request',
    ref,
    sha,
    baseRef: base,
    headRef: branch,
    isFromFork: from !== repository,
    payload: {
      action: 'opened',
      number,
      pull_request: {
        number,
        title: await git(origin.bare, 'log', '-1', '--format=%s', headSha),
        base: { ref: base, sha: baseSha },
        head: { ref: branch, sha: headSha, repo: { full_name: from } },
      },
    },
  }
}

/** A timer firing, or a person pressing "Run workflow", on the tip of main. */
export async function trigger(
  origin: Origin,
  name: 'schedule' | 'workflow_dispatch',
  inputs: Readonly<Record<string, string>> = {},
): Promise<WorkflowEvent> {
  const ref = 'refs/heads/main'
  const payload = name === 'schedule' ? { schedule: '' } : { inputs }
  return { name, ref, sha: await tip(origin, ref), baseRef: '', headRef: '', payload }
}

/**
 * Another workflow's run having ended. As on GitHub, what is checked out is the tip of main by now,
 * whatever that run was of.
 */
export async function completed(
  origin: Origin,
  run: { readonly workflow: string; readonly event: WorkflowEvent; readonly conclusion: string },
): Promise<WorkflowEvent> {
  const ref = 'refs/heads/main'
  const { workflow, event, conclusion } = run
  return {
    name: 'workflow_run',
    ref,
    sha: await tip(origin, ref),
    baseRef: '',
    headRef: '',
    payload: {
      action: 'completed',
      workflow_run: {
        name: workflow,
        event: event.name,
        head_branch: event.ref.replace('refs/heads/', ''),
        head_sha: event.sha,
        conclusion,
      },
    },
  }
}

async function tip({ bare }: Origin, ref: string): Promise<string> {
  const sha = await git(bare, 'for-each-ref', '--format=%(objectname)', ref)
  return sha === '' ? '0'.repeat(40) : sha
}
