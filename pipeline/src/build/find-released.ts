import { objectKey, parseBuildRecord, sizeLimit } from '@needle-faas/runtime/manifest'
import type { ArtifactStore, VerifiedReader } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import type { Survey } from '../functions/survey.ts'
import { isRuntimeRefusal } from '../runtime-refusal.ts'
import type { ReleasedFunction } from './plan-file.ts'

export interface FindReleasedOptions {
  readonly store: ArtifactStore
  /** Of the environment in question: it decides whose signatures and which scope count. */
  readonly reader: VerifiedReader
  readonly signal?: AbortSignal | undefined
}

/**
 * Functions of a survey that were built from exactly these inputs and released. A build record is
 * only a hint: the release it names must be signed, whole, and say the same inputs itself. One that
 * does not is as good as none, and the function is built again. Of artifacts only presence and size
 * are looked at: whoever publishes or serves one checks its digest.
 *
 * @throws RuntimeError `STORE_*` when the store cannot be asked
 */
export async function findReleased(
  survey: Survey,
  { store, reader, signal }: FindReleasedOptions,
): Promise<readonly ReleasedFunction[]> {
  const limit = pLimit(16)
  const artifactSizes = await listArtifactSizes(store, signal)
  const found = await Promise.all(
    [...survey.inputs.values()].map(({ name, digest }) =>
      limit(async (): Promise<ReleasedFunction | null> => {
        const key = objectKey.build(digest)
        const got = await store.get(key, { maxBytes: sizeLimit.buildRecordBytes, signal })
        if (got.status !== 'found') return null
        const record = parseBuildRecord(got.bytes, key)
        const { document } = await reader.release(record.release, name, { signal })
        if (document.inputs !== digest || document.scope !== survey.scope) return null
        const { artifact } = document
        if (artifactSizes.get(objectKey.artifact(artifact.digest)) !== artifact.sizeBytes)
          return null
        return { name, inputs: digest, release: record.release, settings: document.settings }
      }).catch((error: unknown) => {
        if (isRuntimeRefusal(error) && !error.code.startsWith('STORE_')) return null
        throw error
      }),
    ),
  )
  return found.filter((entry) => entry !== null)
}

/** One listing instead of a download per function. */
async function listArtifactSizes(
  store: ArtifactStore,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, number>> {
  const sizes = new Map<string, number>()
  for await (const { key, sizeBytes } of store.list(objectKey.artifactPrefix, { signal })) {
    sizes.set(key, sizeBytes)
  }
  return sizes
}
