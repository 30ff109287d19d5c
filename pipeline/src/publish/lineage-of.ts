import type { EnvironmentState } from '../environment-state/environment-state.ts'
import type { GitRepository } from '../git/git-repository.ts'
import type { Lineage } from '../plan/lineage.ts'

/** How a commit relates to the one an environment was published from, as this clone knows it. */
export async function lineageOf(
  git: GitRepository,
  commit: string,
  { newest }: EnvironmentState,
): Promise<Lineage> {
  const published = newest?.manifest.commit
  return published == null ? 'first' : git.ancestry(commit, published)
}
