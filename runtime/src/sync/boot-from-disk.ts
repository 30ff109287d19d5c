import { RuntimeError } from '../errors.ts'
import { judgeManifest } from '../manifest/acceptance.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { advanceTrust } from '../store/trust-chain.ts'
import { createVerifiedReader, type VerifiedReader } from '../store/verified-reader.ts'
import { type DesiredState, readDesiredState } from './desired-state.ts'

export interface DiskBoot {
  readonly desired: DesiredState
  /** Over the disk alone, under the newest root found there. */
  readonly reader: VerifiedReader
}

/**
 * The state whose activation was completed last, verified again from the pinned root. Null when
 * there is none. An expired one is taken too: expiry freezes change, it never stops serving.
 *
 * @throws RuntimeError when what lies on disk does not verify or is below `minVersion`.
 */
export async function bootFromDisk(options: {
  readonly disk: ArtifactStore
  readonly environment: string
  readonly groups: readonly string[]
  readonly root: TrustRoot
  readonly minVersion?: number | undefined
}): Promise<DiskBoot | null> {
  const { disk, environment } = options
  // Every root on disk was vouched for by a manifest that was activated.
  const { root } = await advanceTrust(disk, options.root)
  const reader = createVerifiedReader({ store: disk, environment, root })
  const found = await reader.manifest()
  if (found.status !== 'found') return null
  const judgement = judgeManifest({
    candidate: found.document,
    digest: found.digest,
    // It may be below the highest seen: that one's activation was never completed.
    seen: null,
    environment,
    root,
    now: 0,
    minVersion: options.minVersion,
  })
  if (judgement.verdict === 'refuse') throw new RuntimeError(judgement.code, judgement.message)
  return { desired: await readDesiredState(reader, found, { groups: options.groups }), reader }
}
