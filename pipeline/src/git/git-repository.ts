import { simpleGit, type SimpleGit } from 'simple-git'
import { PipelineError } from '../errors.ts'
import { withoutCredentials } from './without-credentials.ts'

/** A commit as provenance records it. */
export interface Commit {
  /** Full id. */
  readonly id: string
  /** `Name <email>`. */
  readonly author: string
  /** ISO 8601 with offset. */
  readonly committedAt: string
  readonly subject: string
}

/** What changed between two commits below one path, and by whom. */
export interface PathChange {
  /** Relative to the work tree, with `/`. */
  readonly path: string
  /** `Name <email>` of everyone whose commits touched it, newest first. */
  readonly authors: readonly string[]
}

/**
 * - `same`, `descends`: the commit is, or has among its ancestors, the other.
 * - `older`: the other descends from it. `diverged`: neither.
 * - `unknown`: the clone does not have the other. `shallow`: it was cut off, so nobody can tell.
 */
export type Ancestry = 'same' | 'descends' | 'older' | 'diverged' | 'unknown' | 'shallow'

export interface GitRepository {
  /** Absolute path of the work tree. */
  readonly directory: string
  /** @throws PipelineError `COMMIT_UNKNOWN` */
  commit(revision: string): Promise<Commit>
  /** Paths with changes that are not committed, below `below`; untracked files count. */
  dirtyPaths(below?: string): Promise<readonly string[]>
  /** Whether the clone lacks a part of its history. */
  isShallow(): Promise<boolean>
  /** How `commit` relates to `other`. */
  ancestry(commit: string, other: string): Promise<Ancestry>
  changesBetween(from: string, to: string, below?: string): Promise<readonly PathChange[]>
  /** Address of `origin` without credentials; null when there is none. */
  originUrl(): Promise<string | null>
  /** `user.name <user.email>` as configured, or what of it there is; null when nothing is. */
  configuredUser(): Promise<string | null>
}

/**
 * Answers questions about the repository that holds `directory`.
 *
 * @throws PipelineError `REPOSITORY_MISSING`
 */
export async function openGitRepository(directory: string): Promise<GitRepository> {
  const root = await findRoot(directory)
  const git = simpleGit(root)

  const isShallow = async (): Promise<boolean> =>
    (await git.revparse(['--is-shallow-repository'])).trim() === 'true'

  return {
    directory: root,
    isShallow,
    commit: (revision) => readCommit(git, revision),

    dirtyPaths: async (below = '.') => {
      const status = await git.status(['--untracked-files=all', '--', below])
      return status.files.map((file) => file.path).toSorted()
    },

    ancestry: async (commit, other) => {
      if (commit === other) return 'same'
      const base = await findMergeBase(git, commit, other)
      if (base === other) return 'descends'
      if (await isShallow()) return 'shallow'
      if (base === null) return 'unknown'
      return base === commit ? 'older' : 'diverged'
    },

    changesBetween: (from, to, below = '.') => readChanges(git, `${from}..${to}`, below),

    originUrl: async () => {
      const { value } = await git.getConfig('remote.origin.url')
      return value === null ? null : withoutCredentials(value)
    },

    configuredUser: async () => {
      const lines = await git.raw(['config', '--get-regexp', String.raw`^user\.(name|email)$`])
      // From the system's to the repository's own: the last one counts.
      const name = [...lines.matchAll(/^user\.name (.+)$/gm)].at(-1)?.[1]
      const email = [...lines.matchAll(/^user\.email (.+)$/gm)].at(-1)?.[1]
      if (name !== undefined && email !== undefined) return `${name} <${email}>`
      return name ?? email ?? null
    },
  }
}

async function findRoot(directory: string): Promise<string> {
  try {
    return (await simpleGit(directory).revparse(['--show-toplevel'])).trim()
  } catch (cause) {
    throw new PipelineError(
      'REPOSITORY_MISSING',
      `${directory} is not in a Git repository. Functions are published from commits: run git init and commit them, or go to your clone`,
      { cause },
    )
  }
}

async function readCommit(git: SimpleGit, revision: string): Promise<Commit> {
  const format = ['%H', '%an <%ae>', '%cI', '%s'].join('%x00')
  try {
    const line = await git.raw(['show', '--no-patch', `--format=${format}`, `${revision}^{commit}`])
    const [id = '', author = '', committedAt = '', subject = ''] = line.trim().split('\0')
    return { id, author, committedAt, subject }
  } catch (cause) {
    throw new PipelineError(
      'COMMIT_UNKNOWN',
      `This clone has no commit ${revision}. Commit something first, or fetch it: git fetch origin`,
      { cause },
    )
  }
}

/** The newest commit both have; null when the clone lacks one of them. Empty when they share none. */
async function findMergeBase(git: SimpleGit, a: string, b: string): Promise<string | null> {
  try {
    // Without a common commit Git fails silently, which simple-git takes for a success.
    return (await git.raw(['merge-base', a, b])).trim()
  } catch {
    return null
  }
}

async function readChanges(
  git: SimpleGit,
  range: string,
  below: string,
): Promise<readonly PathChange[]> {
  const log = await git.raw([
    'log',
    '--no-merges',
    '--no-renames',
    '--name-only',
    '-z',
    '--format=%x01%an <%ae>',
    range,
    '--',
    below,
  ])
  const authorsOf = new Map<string, Set<string>>()
  for (const entry of log.split('\u0001').slice(1)) {
    const [author = '', ...paths] = entry.split(/\0|\n/).filter((part) => part !== '')
    for (const path of paths) {
      authorsOf.set(path, (authorsOf.get(path) ?? new Set()).add(author))
    }
  }
  return [...authorsOf]
    .map(([path, authors]) => ({ path, authors: [...authors] }))
    .toSorted((a, b) => (a.path < b.path ? -1 : 1))
}
