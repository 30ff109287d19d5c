import type { ArtifactStore } from '@needle-faas/runtime/store'

/**
 * What time it is by the clock that dates reports, in epoch milliseconds, to about a second: for who
 * only reads, and right after reading. An S3 store tells it with its answers, however wrong this
 * machine's clock is. Of a folder, whose files this machine dates itself unless it was mounted from
 * elsewhere, and of a store that tells no time, it is this machine's clock as it is.
 *
 * @param now - By this machine's clock, epoch milliseconds.
 */
export function storeTime({ clockOffsetMs }: ArtifactStore, now: number): number {
  return now + (clockOffsetMs?.() ?? 0)
}
