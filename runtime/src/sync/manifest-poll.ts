import type { Clock } from '../clock.ts'
import { isRuntimeError, RuntimeError } from '../errors.ts'
import { judgeManifest, type SeenManifest } from '../manifest/acceptance.ts'
import type { Digest } from '../manifest/digest.ts'
import { objectKey } from '../manifest/object-key.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import type { Verified } from '../manifest/verify.ts'
import type { ArtifactStore } from '../store/artifact-store.ts'
import { advanceTrust } from '../store/trust-chain.ts'
import {
  createVerifiedReader,
  type ManifestRead,
  type VerifiedReader,
} from '../store/verified-reader.ts'
import { type DesiredState, readDesiredState } from './desired-state.ts'

export type PollResult =
  | { readonly status: 'unchanged' }
  | { readonly status: 'accepted'; readonly desired: DesiredState }

export interface ManifestPoll {
  /** Reads under the newest trust root known. */
  readonly reader: VerifiedReader
  /** Judges by this root from now on, if it is newer than the one known. */
  believe(root: TrustRoot): void
  /**
   * Asks for the manifest and takes it whole, with its documents, or not at all.
   *
   * @throws RuntimeError with the reason of the refusal; the next poll asks again in full.
   */
  poll(signal: AbortSignal): Promise<PollResult>
}

export interface ManifestPollOptions {
  readonly store: ArtifactStore
  readonly environment: string
  readonly groups: readonly string[]
  readonly root: TrustRoot
  readonly clock: Clock
  readonly minVersion?: number | undefined
  readonly highestSeen: () => SeenManifest | null
  /** What was read last, here or from the disk: a manifest of its digest names the same documents. */
  readonly known: () => DesiredState | null
  /** While it is false an expired manifest is taken: stale is better than down. */
  readonly isServing: () => boolean
  /** A newer root is believed from now on; resolves when it is kept, because trust never goes back. */
  readonly onTrustRoot: (step: Verified<TrustRoot>) => Promise<void>
  /** To be kept before the manifest is acted on, because versions never go back. */
  readonly onSeen: (seen: SeenManifest) => void
}

export function createManifestPoll(options: ManifestPollOptions): ManifestPoll {
  const { store, environment, clock } = options
  let reader = createVerifiedReader({ store, environment, root: options.root })
  /** Of the last manifest that was taken whole: nothing else may be answered with "unchanged". */
  let taken: { readonly etag: string; readonly digest: Digest } | null = null

  const believe = (root: TrustRoot): void => {
    if (root.version <= reader.root.version) return
    reader = createVerifiedReader({ store, environment, root })
  }

  const follow = async (toVersion: number | undefined, signal: AbortSignal): Promise<boolean> => {
    const { root, steps } = await advanceTrust(store, reader.root, toVersion, { signal })
    believe(root)
    for (const step of steps) await options.onTrustRoot(step)
    return steps.length > 0
  }

  /**
   * A stolen key of the last root could go on signing manifests that name no newer one, so whoever
   * takes a new manifest looks for a newer root first (TUF specification, 5.3). A root that cannot
   * be had decides nothing: who can take it away could as well have deleted it.
   */
  const followNewest = async (signal: AbortSignal): Promise<boolean> => {
    try {
      return await follow(undefined, signal)
    } catch (error) {
      signal.throwIfAborted()
      if (isRuntimeError(error)) return false
      throw error
    }
  }

  const read = async (signal: AbortSignal): Promise<ManifestRead> => {
    const conditional = { signal, etag: taken?.etag }
    try {
      const found = await reader.manifest(conditional)
      if (found.status !== 'found' || !(await followNewest(signal))) return found
    } catch (error) {
      const wanted = newerRootOf(error)
      if (wanted === null) throw error
      await follow(wanted, signal)
      await followNewest(signal)
    }
    return reader.manifest(conditional)
  }

  return {
    get reader() {
      return reader
    },
    believe,
    poll: async (signal) => {
      const found = await read(signal)
      if (found.status === 'notModified') return { status: 'unchanged' }
      if (found.status === 'missing') throw manifestMissing(store, environment)
      const { document: candidate, digest, etag } = found

      const judgement = judgeManifest({
        candidate,
        digest,
        seen: options.highestSeen(),
        environment,
        root: reader.root,
        now: clock.now(),
        minVersion: options.minVersion,
        nothingServes: !options.isServing(),
      })
      if (judgement.verdict === 'refuse') {
        throw new RuntimeError(judgement.code, judgement.message, {
          details: { environment, epoch: candidate.epoch, version: candidate.version },
        })
      }
      if (taken?.digest === digest) {
        taken = { etag, digest }
        return { status: 'unchanged' }
      }
      if (judgement.verdict === 'accept') {
        options.onSeen({ epoch: candidate.epoch, version: candidate.version, digest })
      }
      const known = options.known()
      const desired =
        known?.digest === digest
          ? known
          : await readDesiredState(reader, found, { groups: options.groups, signal })
      taken = { etag, digest }
      return { status: 'accepted', desired }
    },
  }
}

function newerRootOf(error: unknown): number | null {
  if (!isRuntimeError(error, 'ROOT_MISSING')) return null
  const { rootVersion } = error.details
  return typeof rootVersion === 'number' ? rootVersion : null
}

function manifestMissing(store: ArtifactStore, environment: string): RuntimeError {
  const key = objectKey.manifest(environment)
  return new RuntimeError(
    'MANIFEST_MISSING',
    `${store.location} has no ${key}. Publish to "${environment}" once, or correct the environment or the store.`,
    { details: { key } },
  )
}
