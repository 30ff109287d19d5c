/**
 * Upper bounds of the buckets, in milliseconds: those OpenTelemetry recommends for durations of
 * HTTP servers, and finer ones below, where functions of a BFF answer. What is slower than the last
 * falls into a bucket without bound.
 */
export const bucketBoundsMs: readonly number[] = Object.freeze([
  1, 2.5, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10_000,
])

/** How often which duration was seen. Recording allocates nothing. */
export class DurationHistogram {
  /** Per bucket of `bucketBoundsMs`, then the one without bound; not cumulative. */
  readonly counts = new Float64Array(bucketBoundsMs.length + 1)
  sumMs = 0
  /** Told of every duration, too; null while nobody listens. */
  mirror: ((durationMs: number) => void) | null = null

  record(durationMs: number): void {
    let bucket = 0
    while (durationMs > (bucketBoundsMs[bucket] ?? Infinity)) bucket += 1
    this.counts[bucket] = (this.counts[bucket] ?? 0) + 1
    this.sumMs += durationMs
    if (this.mirror !== null) this.mirror(durationMs)
  }

  /** Durations that may have been longer: a bucket that reaches beyond counts in full. */
  countAbove(durationMs: number): number {
    return this.counts.reduce(
      (sum, count, bucket) =>
        (bucketBoundsMs[bucket] ?? Infinity) > durationMs ? sum + count : sum,
      0,
    )
  }

  /** Bound of the bucket in which that share of the durations is reached; Infinity beyond the last, 0 without any. */
  quantileMs(share: number): number {
    const wanted = share * this.counts.reduce((sum, count) => sum + count, 0)
    let below = 0
    for (const [bucket, count] of this.counts.entries()) {
      below += count
      if (below > 0 && below >= wanted) return bucketBoundsMs[bucket] ?? Infinity
    }
    return 0
  }
}
