import { isRuntimeError, RuntimeError } from '../errors.ts'
import { judgeManifest } from '../manifest/acceptance.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { advanceTrust } from '../store/trust-chain.ts'
import { createVerifiedReader, type VerifiedReader } from '../store/verified-reader.ts'
import { type DesiredState, readDesiredState } from './desired-state.ts'

export interface DiskBoot {
  readonly desired: DesiredState
  /** Over the disk alone, under the newest root that vouches for the manifest there. */
  readonly reader: VerifiedReader
}

/**
 * The roots this instance has come to believe, from the pinned one up to the newest on disk. What
 * follows a damaged one is left out: the store has it.
 */
export async function trustChainOnDisk(
  disk: ArtifactStore,
  pinned: TrustRoot,
): Promise<readonly [TrustRoot, ...TrustRoot[]]> {
  const chain: [TrustRoot, ...TrustRoot[]] = [pinned]
  for (let current = pinned; ;) {
    try {
      const { root } = await advanceTrust(disk, current, current.version + 1)
      chain.push(root)
      current = root
    } catch (error) {
      if (isRuntimeError(error)) return chain
      throw error
    }
  }
}

/**
 * The state whose activation was completed last, verified again. Null when there is none. An expired
 * one is taken too: expiry freezes change, it never stops serving.
 *
 * A process may end after a newer root reached the disk and before the first manifest under it did.
 * So each root is tried, the newest first: this instance accepted that manifest under one of them.
 *
 * @throws RuntimeError when what lies on disk does not verify or is below `minVersion`.
 */
export async function bootFromDisk(options: {
  readonly disk: ArtifactStore
  readonly environment: string
  readonly groups: readonly string[]
  /** As `trustChainOnDisk`. */
  readonly chain: readonly TrustRoot[]
  readonly minVersion?: number | undefined
}): Promise<DiskBoot | null> {
  let fault: unknown = null
  for (const root of options.chain.toReversed()) {
    try {
      return await bootUnder(root, options)
    } catch (error) {
      fault ??= error
    }
  }
  throw fault
}

async function bootUnder(
  root: TrustRoot,
  { disk, environment, groups, minVersion }: Parameters<typeof bootFromDisk>[0],
): Promise<DiskBoot | null> {
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
    minVersion,
    nothingServes: true,
  })
  if (judgement.verdict === 'refuse') throw new RuntimeError(judgement.code, judgement.message)
  return { desired: await readDesiredState(reader, found, { groups }), reader }
}
