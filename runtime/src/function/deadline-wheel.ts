import { AsyncLocalStorage } from 'node:async_hooks'
import { performance } from 'node:perf_hooks'

/** Something with a deadline. Links of the wheel are part of it, so that arming allocates nothing. */
export abstract class DeadlineEntry {
  /** In the wheel's own time; 0 when not armed. */
  expiresAtMs = 0
  previous: DeadlineEntry | null = null
  next: DeadlineEntry | null = null
  slot = -1

  /** Called once per arming, from a timer of the host: no function may be entered from it directly. */
  abstract onDeadline(): void
}

/** One timer for all deadlines: arming and disarming are constant-time and create no timer. */
export interface DeadlineWheel {
  /** Milliseconds of a monotonic clock: wall time may jump, deadlines must not. */
  nowMs(): number
  /** Entries that are armed now. */
  readonly size: number
  /** Fires within two ticks after `delayMs`. Re-arming moves the deadline. */
  arm(entry: DeadlineEntry, delayMs: number): void
  /** No effect on an entry that is not armed. */
  disarm(entry: DeadlineEntry): void
  close(): void
}

export interface DeadlineWheelOptions {
  /** Precision. Default 10. */
  readonly tickMs?: number
  readonly nowMs?: () => number
  /** Calls `tick` every `tickMs`; returns what stops it. Default: an unreferenced interval. */
  readonly every?: (tick: () => void, tickMs: number) => () => void
}

/** A power of two: the remainder of a large number by it is one bitwise and. */
const slotCount = 512
const slotOf = (ticks: number): number => ticks & (slotCount - 1)
/** Ticks without an entry before the interval stops, so that an idle host sleeps. */
const idleTicks = 100

/**
 * A hashed timer wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme 6). An
 * interval drives it rather than a chain of promises: stopping a runaway function may drop queued
 * microtasks, and the wheel must outlive that to sweep the calls it stranded.
 */
export function createDeadlineWheel(options: DeadlineWheelOptions = {}): DeadlineWheel {
  const { tickMs = 10, nowMs = () => performance.now(), every = unreferencedInterval } = options
  const slots = Array.from({ length: slotCount }, (): DeadlineEntry | null => null)
  let size = 0
  let tickedTo = 0
  let emptyTicks = 0
  let stop: (() => void) | null = null

  const link = (entry: DeadlineEntry, expiresAtMs: number): void => {
    const slot = slotOf(Math.max(Math.ceil(expiresAtMs / tickMs), tickedTo + 1))
    const head = slots[slot] ?? null
    entry.expiresAtMs = expiresAtMs
    entry.slot = slot
    entry.next = head
    if (head !== null) head.previous = entry
    slots[slot] = entry
    size += 1
  }

  const unlink = (entry: DeadlineEntry): void => {
    if (entry.slot < 0) return
    if (entry.previous === null) slots[entry.slot] = entry.next
    else entry.previous.next = entry.next
    if (entry.next !== null) entry.next.previous = entry.previous
    entry.previous = null
    entry.next = null
    entry.slot = -1
    size -= 1
  }

  const tick = (): void => {
    const now = nowMs()
    const last = Math.floor(now / tickMs)
    const visited: DeadlineEntry[] = []
    // After a stall longer than a round, each slot is visited once.
    for (let at = Math.max(tickedTo + 1, last - slotCount + 1); at <= last; at += 1) {
      for (let entry = slots[slotOf(at)] ?? null; entry !== null; entry = entry.next) {
        visited.push(entry)
      }
    }
    tickedTo = Math.max(tickedTo, last)
    for (const entry of visited) {
      // Of a later round, or disarmed or armed again by another's deadline.
      if (entry.slot < 0 || entry.expiresAtMs > now) continue
      unlink(entry)
      entry.onDeadline()
    }
    emptyTicks = size === 0 ? emptyTicks + 1 : 0
    if (emptyTicks > idleTicks) rest()
  }

  const rest = (): void => {
    stop?.()
    stop = null
  }

  return {
    nowMs,
    get size() {
      return size
    },
    arm: (entry, delayMs) => {
      unlink(entry)
      const now = nowMs()
      if (stop === null) {
        tickedTo = Math.floor(now / tickMs)
        emptyTicks = 0
        stop = every(tick, tickMs)
      }
      link(entry, now + delayMs)
    },
    disarm: unlink,
    close: rest,
  }
}

// The call that happens to start the interval must not lend it its async context for good.
const outsideAnyCall = AsyncLocalStorage.snapshot()

function unreferencedInterval(tick: () => void, tickMs: number): () => void {
  const interval = outsideAnyCall(() => setInterval(tick, tickMs).unref())
  return () => clearInterval(interval)
}
