import { performance } from 'node:perf_hooks'
import { outsideAnyCall } from './outside-any-call.ts'

/** Something with a deadline. Links of the wheel are part of it, so that arming allocates nothing. */
export interface DeadlineEntry {
  /** In the wheel's own time; 0 before it is armed. */
  expiresAtMs: number
  /** Null while it is not armed, and at the ends. */
  previous: DeadlineEntry | null
  next: DeadlineEntry | null
  /** Negative while it is not armed. */
  slot: number
  /** Called once per arming, from a timer of the host: no function may be entered from it directly. */
  onDeadline(): void
}

/** One timer for all deadlines: arming and disarming are constant-time and hardly ever set it anew. */
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
  /** Calls `wake` once after `delayMs`; returns what takes that back. Default: an unreferenced timer. */
  readonly after?: (wake: () => void, delayMs: number) => () => void
}

/** A power of two: the remainder of a large number by it is one bitwise and. */
const slotCount = 512
const slotOf = (tick: number): number => tick & (slotCount - 1)

/**
 * A hashed timer wheel (Varghese and Lauck, "Hashed and hierarchical timing wheels", scheme 6) that
 * sleeps until its next occupied slot: deadlines are seconds away and hardly ever met, so that one
 * wake-up in seconds does where a ticking wheel takes a hundred per second. A timer drives it rather
 * than a chain of promises: stopping a runaway function may drop queued microtasks, and the wheel
 * must outlive that to sweep the calls it stranded.
 */
export function createDeadlineWheel(options: DeadlineWheelOptions = {}): DeadlineWheel {
  const { tickMs = 10, nowMs = () => performance.now(), after = unreferencedTimer } = options
  const slots = Array.from({ length: slotCount }, (): DeadlineEntry | null => null)
  let size = 0
  let tickedTo = 0
  /** When it wakes up; Infinity while nothing is armed. */
  let wakeTick = Infinity
  let cancelWake: (() => void) | null = null

  const link = (entry: DeadlineEntry, expiresAtMs: number, tick: number): void => {
    const slot = slotOf(tick)
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

  const wakeAt = (tick: number, now: number): void => {
    cancelWake?.()
    wakeTick = tick
    cancelWake = tick === Infinity ? null : after(wake, tick * tickMs - now)
  }

  const nextOccupied = (): number => {
    if (size === 0) return Infinity
    let tick = tickedTo + 1
    while (slots[slotOf(tick)] === null) tick += 1
    return tick
  }

  const wake = (): void => {
    const now = nowMs()
    const last = Math.floor(now / tickMs)
    const visited: DeadlineEntry[] = []
    // After a stall longer than a round, each slot is visited once.
    for (let tick = Math.max(tickedTo + 1, last - slotCount + 1); tick <= last; tick += 1) {
      for (let entry = slots[slotOf(tick)] ?? null; entry !== null; entry = entry.next) {
        visited.push(entry)
      }
    }
    tickedTo = Math.max(tickedTo, last)
    try {
      for (const entry of visited) {
        // Of a later round, or disarmed or armed again by another's deadline.
        if (entry.slot < 0 || entry.expiresAtMs > now) continue
        unlink(entry)
        entry.onDeadline()
      }
    } finally {
      wakeAt(nextOccupied(), now)
    }
  }

  return {
    nowMs,
    get size() {
      return size
    },
    arm: (entry, delayMs) => {
      unlink(entry)
      const now = nowMs()
      if (wakeTick === Infinity) tickedTo = Math.floor(now / tickMs)
      const tick = Math.max(Math.ceil((now + delayMs) / tickMs), tickedTo + 1)
      link(entry, now + delayMs, tick)
      if (tick < wakeTick) wakeAt(tick, now)
    },
    disarm: unlink,
    close: () => wakeAt(Infinity, 0),
  }
}

function unreferencedTimer(wake: () => void, delayMs: number): () => void {
  const timer = outsideAnyCall(() => setTimeout(wake, delayMs).unref())
  return () => clearTimeout(timer)
}
