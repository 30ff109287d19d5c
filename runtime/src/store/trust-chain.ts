import { RuntimeError } from '../errors.ts'
import { objectKey } from '../manifest/object-key.ts'
import { sizeLimit } from '../manifest/size-limit.ts'
import type { TrustRoot } from '../manifest/trust-root.ts'
import { type Verified, verifyTrustRoot } from '../manifest/verify.ts'
import type { ArtifactStore } from './artifact-store.ts'

export interface TrustAdvance {
  /** The newest root reached; the one given when there is no newer. */
  readonly root: TrustRoot
  /** Every root passed on the way, oldest first: what a cache must keep to walk the way again. */
  readonly steps: readonly Verified<TrustRoot>[]
}

/**
 * Follows the chain of trust from a root that is believed: fetches `trust/<n+1>.json`, believes it
 * if root n says so, and goes on, skipping none (TUF specification, 5.3). With `toVersion` it
 * stops there; without, at the newest there is.
 *
 * @throws RuntimeError `ROOT_MISSING` when a root up to `toVersion` is not in the store,
 *   `ROOT_NOT_SUCCESSOR` and those of `verifyTrustRoot`, and the store's own.
 */
export async function advanceTrust(
  store: ArtifactStore,
  root: TrustRoot,
  toVersion?: number,
  options: { readonly signal?: AbortSignal | undefined } = {},
): Promise<TrustAdvance> {
  const steps: Verified<TrustRoot>[] = []
  let current = root
  const target = toVersion ?? Number.POSITIVE_INFINITY
  while (current.version < target) {
    const key = objectKey.trustRoot(current.version + 1)
    const read = await store.get(key, {
      maxBytes: sizeLimit.trustRootBytes,
      signal: options.signal,
    })
    if (read.status !== 'found') {
      if (toVersion === undefined) break
      throw new RuntimeError(
        'ROOT_MISSING',
        `Trust root ${toVersion} is wanted, but ${store.location} has no ${key}; upload every root since ${root.version}`,
        { details: { key, known: current.version, wanted: toVersion } },
      )
    }
    const step = await verifyTrustRoot(read.bytes, current, key)
    steps.push(step)
    current = step.document
  }
  return { root: current, steps }
}
