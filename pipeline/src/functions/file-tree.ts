import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import pLimit from 'p-limit'
import { type SimpleGit, simpleGit } from 'simple-git'

/**
 * Everything of a repository that can matter to a function: contents by path relative to the
 * root, with `/`. Holds all below `functions/` but what tools put there, and the lock file.
 */
export type FileTree = ReadonlyMap<string, Uint8Array>

const lockFile = 'package-lock.json'
const toolFolders = new Set(['node_modules', 'dist', 'coverage'])

/** The files as they lie in the work tree, committed or not. */
export async function readWorkTree(directory: string): Promise<FileTree> {
  const paths = await readdir(join(directory, 'functions'), {
    recursive: true,
    withFileTypes: true,
  })
  const files = paths
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .map((path) => path.replaceAll('\\', '/'))
    .filter(matters)
  return readAll(directory, [...files, lockFile])
}

/**
 * The files as they were at `revision`. What has not changed since is taken from `workTree`, so
 * that only differences are asked of Git.
 */
export async function readCommittedTree(
  directory: string,
  revision: string,
  workTree: FileTree,
): Promise<FileTree> {
  const git = simpleGit(directory)
  // paths are relative to the work tree's top, which may lie above the functions' repository
  const prefix = (await git.revparse(['--show-prefix'])).trim()
  const committed = await listCommitted(git, revision)
  const diff = await git.raw(['diff', '--name-only', '-z', '--relative', revision, '--', '.'])
  const changed = new Set(diff.split('\0'))
  const tree = new Map<string, Uint8Array>()
  await Promise.all(
    committed.map(async (path) => {
      const same = changed.has(path) ? undefined : workTree.get(path)
      tree.set(path, same ?? (await git.showBuffer(`${revision}:${prefix}${path}`)))
    }),
  )
  return new Map([...tree].toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

async function listCommitted(git: SimpleGit, revision: string): Promise<string[]> {
  const list = await git.raw([
    'ls-tree',
    '-r',
    '-z',
    '--name-only',
    revision,
    'functions',
    lockFile,
  ])
  return list.split('\0').filter((path) => path === lockFile || (path !== '' && matters(path)))
}

function matters(path: string): boolean {
  return path.split('/').every((part) => !toolFolders.has(part) && !part.startsWith('.'))
}

async function readAll(directory: string, paths: readonly string[]): Promise<FileTree> {
  const limit = pLimit(32)
  const entries = await Promise.all(
    paths.map((path) =>
      limit(async () => [path, await readIfThere(join(directory, path))] as const),
    ),
  )
  return new Map(
    entries
      .filter((entry): entry is [string, Buffer] => entry[1] !== null)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Null for a file that is not there: there may be no lock file, and editors replace files. */
async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    return await readFile(path)
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}
