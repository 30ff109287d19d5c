import type { GitRepository } from '../git/git-repository.ts'

/**
 * Whose commits between two commits touched a function's own folder or what its group shares, by
 * function. Explains a change; decides nothing.
 */
export async function readChangedBy(
  git: GitRepository,
  from: string,
  to: string,
): Promise<(functionName: string) => readonly string[]> {
  const changes = await git.changesBetween(from, to, ':(top,glob)**/functions/**')
  return (functionName) => {
    const [group] = functionName.split('/')
    const folders = [`functions/${functionName}/`, `functions/${group}/_shared/`]
    const authors = changes
      .filter(({ path }) => folders.some((folder) => `/${path}`.includes(`/${folder}`)))
      .flatMap((change) => change.authors)
    return [...new Set(authors)]
  }
}
