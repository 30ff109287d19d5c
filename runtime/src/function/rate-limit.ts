import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '../clock.ts'

export interface RateLimit {
  /** Whether one more may pass now. `weight` counts against `maxWeightPerSecond`; default 0. */
  admits(weight?: number): boolean
}

const windowMs = 1000

/**
 * Lets so many pass in a second. How many it held back is told when the second is over, once.
 */
export function createRateLimit(options: {
  readonly maxPerSecond: number
  /** Of all that pass. Default: any. */
  readonly maxWeightPerSecond?: number | undefined
  readonly clock: Clock
  readonly onHeldBack: (count: number) => void
}): RateLimit {
  const { maxPerSecond, maxWeightPerSecond = Infinity, clock, onHeldBack } = options
  let beganAtMs = -Infinity
  let passed = 0
  let passedWeight = 0
  let heldBack = 0

  const tell = (): void => {
    const count = heldBack
    heldBack = 0
    if (count > 0) onHeldBack(count)
  }
  const begin = (now: number): void => {
    tell()
    beganAtMs = now
    passed = 0
    passedWeight = 0
  }

  return {
    admits: (weight = 0) => {
      const now = clock.now()
      // Wall time may be set back.
      if (now >= beganAtMs + windowMs || now < beganAtMs) begin(now)
      if (passed < maxPerSecond && passedWeight + weight <= maxWeightPerSecond) {
        passed += 1
        passedWeight += weight
        return true
      }
      heldBack += 1
      if (heldBack === 1) {
        const leftMs = beganAtMs + windowMs - now
        void outsideAnyCall(() => clock.sleep(leftMs).then(tell))
      }
      return false
    },
  }
}

// The call that is held back first must not be retained, nor be charged with what is told.
const outsideAnyCall = AsyncLocalStorage.snapshot()
