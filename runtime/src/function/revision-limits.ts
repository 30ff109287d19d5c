import type { Clock } from '../clock.ts'
import { createRateLimit, type RateLimit } from './rate-limit.ts'

/** Far more than ever exceed one within a second; revisions come and go, their limits must not stay. */
const maxLimits = 1000

/** A rate limit of its own for each revision. `onHeldBack` is told as of any `createRateLimit`. */
export function createRevisionLimits(options: {
  readonly maxPerSecond: number
  readonly clock: Clock
  readonly onHeldBack: (revision: string, count: number) => void
}): { admits(revision: string): boolean } {
  const { maxPerSecond, clock, onHeldBack } = options
  const limits = new Map<string, RateLimit>()
  return {
    admits: (revision) => {
      const known = limits.get(revision)
      if (known !== undefined) return known.admits()
      if (limits.size >= maxLimits) limits.clear()
      const limit = createRateLimit({
        maxPerSecond,
        clock,
        onHeldBack: (count) => onHeldBack(revision, count),
      })
      limits.set(revision, limit)
      return limit.admits()
    },
  }
}
