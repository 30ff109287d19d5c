import { readFile } from 'node:fs/promises'
import { type TrustRoot, verifyTrustRoot } from '@needle-faas/runtime/manifest'
import { advanceTrust, type ArtifactStore } from '@needle-faas/runtime/store'
import { PipelineError } from '../errors.ts'

/** The newest trust root that the pinned one leads to through the store. */
export interface Trust {
  readonly pinned: TrustRoot
  readonly newest: TrustRoot
}

/**
 * Reads the pinned root and follows the chain from it.
 *
 * @param file - Absolute path of the pinned root, the same that BFFs carry.
 * @throws PipelineError `TRUST_MISSING`; RuntimeError as `advanceTrust` and `verifyTrustRoot` do.
 */
export async function openTrust(
  store: ArtifactStore,
  file: string,
  signal?: AbortSignal,
): Promise<Trust> {
  const bytes = await readPinned(file)
  const { document: pinned } = await verifyTrustRoot(bytes, null, file)
  const { root: newest } = await advanceTrust(store, pinned, undefined, { signal })
  return { pinned, newest }
}

async function readPinned(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch (cause) {
    throw new PipelineError(
      'TRUST_MISSING',
      `The pinned trust root ${file} cannot be read. Make one with needle keys init, or point --trust, NEEDLE_TRUST or the environment's "trust" in functions/needle.config.ts at it`,
      { cause, details: { file } },
    )
  }
}
