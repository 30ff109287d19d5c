import { setTimeout as sleep } from 'node:timers/promises'
import type { PutCondition, PutResult } from './artifact-store.ts'
import { isLostRace, statusOf } from './s3-error.ts'

/** What a key holds now; `bytes` null when it is more than was to be written. */
export interface StoredState {
  readonly etag: string
  readonly bytes: Uint8Array | null
}

/** Times the write is sent again after an answer that left the old state in place. */
const unclearRetries = 3

/**
 * Sends a conditional write and finds out what became of it. A lost race may come as 412, 409 or
 * 500, and so may a retry by the SDK that met the write of its own first attempt: after anything
 * but a plain yes only what is stored can tell.
 */
export async function resolveConditionalPut(write: {
  readonly bytes: Uint8Array
  readonly condition: PutCondition
  readonly send: () => Promise<PutResult>
  /** Null when the key is absent. */
  readonly stored: () => Promise<StoredState | null>
  readonly signal: AbortSignal
}): Promise<PutResult> {
  const { bytes, condition, signal } = write
  for (let tries = 1; ; tries += 1) {
    try {
      return await write.send()
    } catch (error) {
      if (!isLostRace(error)) throw error
      const stored = await write.stored()
      if (stored !== null && stored.bytes !== null && Buffer.compare(stored.bytes, bytes) === 0) {
        return { status: 'written', etag: stored.etag }
      }
      const unchanged = condition === 'absent' ? stored === null : stored?.etag === condition.etag
      // 412 with the state the condition wanted: the service did compare, and says no.
      if (!unchanged || statusOf(error) === 412) return { status: 'conflict' }
      if (tries > unclearRetries) throw error
      await sleep(50 * tries * (0.5 + Math.random()), undefined, { signal })
    }
  }
}
