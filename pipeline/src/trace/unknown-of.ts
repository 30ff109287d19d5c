import type { Facts } from './facts.ts'
import type { ReleaseOrigin } from './release-origin.ts'
import type { TracedManifest } from './traced-manifest.ts'

/** What could not be found out, and how it could be. */
export function unknownOf(
  origins: readonly ReleaseOrigin[],
  manifests: readonly TracedManifest<unknown>[],
  { question, history }: Facts,
): readonly string[] {
  const { git, env, limit } = question
  const hasSubject = origins.every(({ subject, provenance }) => subject !== null || !provenance)
  const asks = origins.some(
    ({ provenance, people }) => provenance?.pullRequest != null && people === null,
  )
  const lost = manifests.filter(({ events }) => events === null).length
  return [
    ...(hasSubject
      ? []
      : [
          git === null
            ? 'What commits say: not in a Git repository'
            : 'What some commits say: this clone does not have them (git fetch origin)',
        ]),
    ...(asks
      ? [
          env['GITHUB_TOKEN']
            ? 'Who approved the pull request: GitHub did not tell'
            : 'Who approved the pull request: set GITHUB_TOKEN',
        ]
      : []),
    ...(lost === 0 ? [] : [`What ${lost} of the manifests changed: pruned or damaged`]),
    ...(history.length > limit ? [`What came before the newest ${limit} manifests: --limit`] : []),
  ]
}
