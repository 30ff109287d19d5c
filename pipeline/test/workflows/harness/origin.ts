import { mkdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { git } from './git.ts'

/** The bare repository that plays GitHub's, and a clone a person works in. */
export interface Origin {
  readonly bare: string
  readonly work: string
}

/** File contents by path; null deletes the file. */
export type Change = Readonly<Record<string, string | null>>

/** An empty origin below `directory`, its default branch `main`. */
export async function createOrigin(directory: string): Promise<Origin> {
  const origin = { bare: join(directory, 'origin.git'), work: join(directory, 'work') }
  await mkdir(directory, { recursive: true })
  await git(directory, 'init', '--quiet', '--bare', '--initial-branch=main', origin.bare)
  // As GitHub does: a shallow checkout asks for one commit by its hash.
  await git(origin.bare, 'config', 'uploadpack.allowReachableSHA1InWant', 'true')
  await git(directory, 'init', '--quiet', '--initial-branch=main', origin.work)
  await git(origin.work, 'remote', 'add', 'origin', origin.bare)
  return origin
}

/** Commits everything in the work tree after applying `change`, on the current branch. */
export async function commit({ work }: Origin, message: string, change: Change): Promise<string> {
  for (const [path, content] of Object.entries(change)) {
    const file = join(work, path)
    if (content === null) {
      await rm(file)
      continue
    }
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, content)
  }
  await git(work, 'add', '--all')
  await git(work, 'commit', '--quiet', '--message', message)
  return git(work, 'rev-parse', 'HEAD')
}
