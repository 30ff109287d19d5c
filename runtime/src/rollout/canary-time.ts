/** Deadlines are met within two ticks of the wheel, and stable needs some time, however fast it is. */
const leastReserveMs = 50

/**
 * How long the canary may take of a call that stable may have to answer after it: all but what two
 * calls of stable usually take, at least a quarter of the time and 50 ms; half while that is unknown.
 * Null: the function uses its time so fully that both would not fit, and stable answers only for a
 * canary that fails early.
 */
export function canaryTimeMs(timeoutMs: number, usualMs: number | null): number | null {
  if (usualMs === null) return Math.ceil(timeoutMs / 2)
  const capMs = Math.floor(timeoutMs - Math.max(2 * usualMs, timeoutMs / 4, leastReserveMs))
  return capMs >= 2 * usualMs && capMs > 0 ? capMs : null
}
