import { randomBytes } from 'node:crypto'
import type { Provenance, RolloutStep } from '@needle-faas/runtime/manifest'
import { type BuildDirectory, policiesOf } from '../build/build-directory.ts'
import type { GitRepository } from '../git/git-repository.ts'
import type { Plan } from '../plan/plan.ts'
import { planPublish } from '../plan/plan-publish.ts'
import { assertMeantFor, assertPublishable } from './assert-fits.ts'
import { changeEnvironment, type ChangeOutcome } from './change-environment.ts'
import type { Publisher } from './publisher.ts'
import { readChangedBy } from './changed-by.ts'
import { lineageOf } from './lineage-of.ts'
import { createReleaseResolver } from './resolve-releases.ts'

export interface PublishRequest {
  readonly publisher: Publisher
  readonly build: BuildDirectory
  readonly git: GitRepository
  /** Of pull request and build; the rest of the provenance is read from Git. */
  readonly origin: Pick<Provenance, 'pullRequest' | 'build'>
  readonly actor: string
  /** Default: the subject of the commit. */
  readonly reason?: string | undefined
  readonly canarySteps?: readonly RolloutStep[] | undefined
  /** Needs a reason. Default false. */
  readonly allowOlder?: boolean | undefined
}

/**
 * Makes an environment what a build's commit says. Evaluates nothing of the build.
 *
 * @throws PipelineError `WORK_TREE_DIRTY`, `BUILD_DIRECTORY_ALTERED`, `COMMIT_UNKNOWN`,
 *   `USAGE_INVALID`, and as `changeEnvironment` does; refusals of the plan are in its result.
 */
export async function publishBuild(request: PublishRequest): Promise<ChangeOutcome> {
  const { publisher, build, git, origin, actor } = request
  assertPublishable(build)
  assertMeantFor(publisher.access.environment, build)
  const commit = await git.commit(build.manifest.commit)
  const resolve = createReleaseResolver({
    publisher,
    build,
    provenance: {
      repository: await git.originUrl(),
      commit: commit.id,
      committedAt: commit.committedAt,
      author: commit.author,
      ...origin,
    },
  })
  const policies = policiesOf(build)
  return changeEnvironment(publisher, async (state) => {
    const [{ wanted, uploadsFor }, lineage] = await Promise.all([
      resolve(state),
      lineageOf(git, commit.id, state),
    ])
    const plan = planPublish({
      state,
      wanted,
      commit: commit.id,
      lineage,
      allowOlder: request.allowOlder ?? false,
      canarySteps: request.canarySteps ?? null,
      policies,
      actor,
      reason: request.reason ?? commit.subject,
      now: publisher.clock.now(),
      salt: randomBytes(12).toString('base64url'),
    })
    const published = state.newest?.manifest.commit
    const named =
      lineage === 'descends' && published != null && plan.changes.length > 0
        ? nameAuthors(plan, await readChangedBy(git, published, commit.id))
        : plan
    return { plan: named, uploads: uploadsFor(plan.draft?.groups ?? {}) }
  })
}

function nameAuthors(plan: Plan, changedBy: (functionName: string) => readonly string[]): Plan {
  const changes = plan.changes.map((change) =>
    change.function === null ? change : { ...change, authors: changedBy(change.function) },
  )
  return { ...plan, changes }
}
