/** Longest wait between two tries of anything that keeps failing. */
export const maxBackoffMs = 60_000

/**
 * How long to wait before the next poll: the interval ± 25 %, so that a fleet started at once does
 * not stay in step.
 *
 * @param random uniform in [0, 1)
 */
export function pollDelayMs(intervalMs: number, random: number): number {
  return intervalMs * (0.75 + random * 0.5)
}

/**
 * How long to wait after the `failures`-th failure in a row: full-jitter exponential back-off
 * (uniform between 0 and the doubled base, capped), which spreads a herd on recovery best.
 *
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffDelayMs(baseMs: number, failures: number, random: number): number {
  const ceiling = Math.min(maxBackoffMs, baseMs * 2 ** Math.min(failures, 30))
  return ceiling * random
}
