/** Numbers the watchdog's thread reads while the main thread is busy. */
export const heartbeatSlot = {
  /** Changes whenever the event loop turns or a function is entered. */
  beats: 0,
  /** Above zero while a stall is nobody's fault: an artifact is evaluated under a limit of its own. */
  holds: 1,
  /** Longest stall in milliseconds before it is ended. */
  limitMs: 2,
} as const

/** One per process, whether a watchdog reads it or not. */
export const heartbeat = new Int32Array(
  new SharedArrayBuffer(Object.keys(heartbeatSlot).length * Int32Array.BYTES_PER_ELEMENT),
)

/** Says that the main thread gets on: one plain write, for the hot path. */
export function beat(): void {
  heartbeat[heartbeatSlot.beats] = ((heartbeat[heartbeatSlot.beats] ?? 0) + 1) | 0
}

/** Runs `run`, however long it takes, without the watchdog ending it. */
export function withoutWatchdog<Result>(run: () => Result): Result {
  Atomics.add(heartbeat, heartbeatSlot.holds, 1)
  try {
    return run()
  } finally {
    Atomics.sub(heartbeat, heartbeatSlot.holds, 1)
    beat()
  }
}
