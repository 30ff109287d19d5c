import type { FunctionState, ReleaseRef } from '@needle-faas/runtime/manifest'
import { createVerifiedReader } from '@needle-faas/runtime/store'
import type { BuiltFunction, ReusedFunction } from '../build/build-manifest.ts'
import type { EnvironmentAccess } from '../environment-state/read-environment.ts'
import { PipelineError } from '../errors.ts'
import { releasesOf } from '../plan/function-states.ts'
import { isSamePair, type Pair } from '../plan/pair.ts'

export type BuildEntry = BuiltFunction | ReusedFunction

export function pairOf(entry: BuildEntry): Pair {
  return entry.status === 'reused'
    ? entry.release
    : { artifact: entry.artifact.digest, settings: entry.settingsDigest }
}

/** The release with this artifact and settings that the environment serves or keeps warm. */
export function findKnown(
  state: FunctionState | undefined,
  entry: BuildEntry,
): ReleaseRef | undefined {
  const pair = pairOf(entry)
  return state && releasesOf(state).find((ref) => isSamePair(ref, pair))
}

/**
 * The build job only claims that this release exists and came from these inputs.
 *
 * @throws PipelineError `BUILD_DIRECTORY_ALTERED`; RuntimeError as reading and verifying do
 */
export async function verifyReused(
  access: EnvironmentAccess,
  entry: ReusedFunction,
): Promise<void> {
  const reader = createVerifiedReader(access)
  const { document } = await reader.release(entry.release, entry.name, access)
  if (document.inputs !== entry.inputs) {
    throw new PipelineError(
      'BUILD_DIRECTORY_ALTERED',
      `The build says that ${entry.name} was built before, but the release it names came from other inputs. Build again`,
      { details: { function: entry.name, release: entry.release.release } },
    )
  }
  await reader.artifact(document, access)
}
