import { RuntimeError } from '../errors.ts'
import { digestHex, digestOf } from '../manifest/digest.ts'
import type { ArtifactStore, GetOptions, GetResult } from '../store/artifact-store.ts'

const immutableKey =
  /^(?:artifacts|releases|environments\/[^/]+\/(?:groups|quarantine))\/([0-9a-f]{64})\.(?:json|js)$/

/** The hex digest in the key of an object named by it; null for every other key. */
export function digestInKey(key: string): string | null {
  return immutableKey.exec(key)?.[1] ?? null
}

/** An object named by its digest, off the disk. A damaged file counts as absent (null): the store has a good one. */
export async function readIntact(
  disk: ArtifactStore,
  key: string,
  options: GetOptions,
): Promise<Extract<GetResult, { status: 'found' }> | null> {
  try {
    const result = await disk.get(key, { maxBytes: options.maxBytes, signal: options.signal })
    if (result.status !== 'found') return null
    return digestHex(digestOf(result.bytes)) === digestInKey(key) ? result : null
  } catch (error) {
    if (error instanceof RuntimeError) return null
    throw error
  }
}
