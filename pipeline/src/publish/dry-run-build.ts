import {
  digestOf,
  type Manifest,
  type ReleaseRef,
  type RolloutStep,
  shortDigest,
} from '@needle-faas/runtime/manifest'
import { type BuildDirectory, policiesOf } from '../build/build-directory.ts'
import type { EnvironmentState } from '../environment-state/environment-state.ts'
import { type EnvironmentAccess, readEnvironment } from '../environment-state/read-environment.ts'
import { isPipelineError } from '../errors.ts'
import type { GitRepository } from '../git/git-repository.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { refusalOfLineage } from '../plan/lineage.ts'
import { planFunctions } from '../plan/plan-functions.ts'
import { type Plan, refuse } from '../plan/plan.ts'
import { assertMeantFor } from './assert-fits.ts'
import { type BuildEntry, findKnown, pairOf, verifyReused } from './known-release.ts'
import { lineageOf } from './lineage-of.ts'

export interface DryRunRequest {
  readonly access: EnvironmentAccess
  /** May be of affected functions only, or of work that is not committed. */
  readonly build: BuildDirectory
  readonly git: GitRepository
  readonly canarySteps?: readonly RolloutStep[] | undefined
  /** Default false. */
  readonly allowOlder?: boolean | undefined
  /** Epoch milliseconds. */
  readonly now: number
}

/** What publishing a build would do to an environment as that is now. */
export interface DryRun extends Pick<Plan, 'changes' | 'kept' | 'refusals'> {
  /** Of the environment; null before the first publish. */
  readonly manifest: Manifest | null
  /** What could not be told, and why, in sentences. */
  readonly untold: readonly string[]
}

/**
 * Plans what `publishBuild` would, reads only, and needs no key. Of a build of affected functions it
 * tells what becomes of these once they are merged, and every other function that is held.
 *
 * @throws PipelineError `BUILD_DIRECTORY_ALTERED`, `USAGE_INVALID` for a build of another environment
 * @throws RuntimeError as reading and the store do
 */
export async function dryRunBuild(request: DryRunRequest): Promise<DryRun> {
  const { access, build } = request
  assertMeantFor(access.environment, build)
  const { state } = await readEnvironment(access)
  const { refusal, untold } = await judgeCommit(request, state)
  const manifest = state.newest?.manifest ?? null
  if (refusal !== null) {
    return { ...refuse(refusal.code, null, refusal.message), manifest, untold }
  }

  const states = toFunctionStates(state.groups)
  const entries = await Promise.all(
    build.manifest.functions.map(async (entry) => {
      const known = findKnown(states.get(entry.name), entry)
      return [entry.name, known ?? (await toRelease(access, entry))] as const
    }),
  )
  const wanted = new Map(entries)
  const { changes, kept, refusals } = planFunctions({
    state,
    wanted,
    nameOf: (ref) => (ref.release === unsigned.release ? '(new)' : shortDigest(ref.release)),
    canarySteps: request.canarySteps ?? null,
    policies: policiesOf(build),
    now: request.now,
    // Decides whom a canary meets, and this one meets nobody.
    salt: 'dry run',
  })
  const isOfBuild = (name: string | null): boolean =>
    build.manifest.complete || (name !== null && wanted.has(name))
  // What is not in a build of affected functions is not gone from Git.
  return {
    changes: changes.filter((each) => isOfBuild(each.function)),
    kept,
    refusals,
    manifest,
    untold,
  }
}

/**
 * Which commit is newer matters for what can be published as it is. A merge makes another commit of
 * a pull request, so that what was built there is not asked about the one it was built from.
 */
async function judgeCommit(
  { build, git, allowOlder }: DryRunRequest,
  state: EnvironmentState,
): Promise<{
  readonly refusal: ReturnType<typeof refusalOfLineage>
  readonly untold: readonly string[]
}> {
  const { commit, complete, dirty } = build.manifest
  const untold = [
    ...(dirty ? ['The build holds changes that are in no commit: it cannot be published.'] : []),
    ...(complete
      ? []
      : ['The build holds affected functions only: of others only holds are told.']),
  ]
  if (!complete || allowOlder) return { refusal: null, untold }
  if (!(await hasCommit(git, commit))) {
    const short = commit.slice(0, 12)
    const text = `This clone does not have commit ${short}: whether a newer one runs is not told.`
    return { refusal: null, untold: [...untold, text] }
  }
  const lineage = await lineageOf(git, commit, state)
  return { refusal: refusalOfLineage({ lineage, commit, state }), untold }
}

async function hasCommit(git: GitRepository, id: string): Promise<boolean> {
  try {
    await git.commit(id)
    return true
  } catch (error) {
    if (isPipelineError(error, 'COMMIT_UNKNOWN')) return false
    throw error
  }
}

/** In the place of a release that nobody has signed yet: plans compare artifact and settings. */
const unsigned = { release: digestOf('not signed yet'), sizeBytes: 0 }

async function toRelease(access: EnvironmentAccess, entry: BuildEntry): Promise<ReleaseRef> {
  if (entry.status === 'built') return { ...pairOf(entry), ...unsigned }
  await verifyReused(access, entry)
  return entry.release
}
