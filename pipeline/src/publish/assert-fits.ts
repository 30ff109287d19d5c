import { isPreviewEnvironment } from '@needle-faas/runtime/manifest'
import type { BuildDirectory } from '../build/build-directory.ts'
import { PipelineError } from '../errors.ts'

/** @throws PipelineError `WORK_TREE_DIRTY`, or `USAGE_INVALID` for a build of affected functions only */
export function assertPublishable({ manifest, directory }: BuildDirectory): void {
  if (manifest.dirty) {
    throw new PipelineError(
      'WORK_TREE_DIRTY',
      `The build in ${directory} holds changes that are in no commit, so nobody could trace or revert it. Commit them, build and publish again`,
    )
  }
  if (!manifest.complete) {
    throw new PipelineError(
      'USAGE_INVALID',
      `The build in ${directory} holds affected functions only; publishing it would remove all others. Build again without --base`,
    )
  }
}

/** @throws PipelineError `USAGE_INVALID` for a build that was made for another environment */
export function assertMeantFor(environment: string, build: BuildDirectory): void {
  const { manifest, directory } = build
  if (manifest.environment !== null && manifest.environment !== environment) {
    throw new PipelineError(
      'USAGE_INVALID',
      `The build in ${directory} was made for ${manifest.environment}, not for ${environment}. Build again with --environment ${environment}`,
    )
  }
  if (manifest.scope === 'preview' && !isPreviewEnvironment(environment)) {
    throw new PipelineError(
      'USAGE_INVALID',
      `The build in ${directory} is a preview; ${environment} takes production builds only. Build again with --environment ${environment}`,
    )
  }
}
