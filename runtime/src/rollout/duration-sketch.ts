/** Quantiles of the durations of the last few thousand calls, to within 5 %. */
export interface DurationSketch {
  /** Calls it was told of, ever. */
  readonly count: number
  add(durationMs: number): void
  /** Upper edge of the bucket in which that share of the remembered durations is reached; 0 when there are none. */
  quantile(share: number): number
}

const growth = 1.05
const lowestMs = 0.05
const logGrowth = Math.log(growth)
/** Up to five minutes, the longest a call may take. */
const buckets = Math.ceil(Math.log(300_000 / lowestMs) / logGrowth) + 1
/** Once so many are remembered, each counts half, so that the last ones decide. */
const memoryCalls = 4096

export function createDurationSketch(): DurationSketch {
  const counts = new Float64Array(buckets)
  let remembered = 0
  let count = 0

  return {
    get count() {
      return count
    },
    add: (durationMs) => {
      const bucket = Math.ceil(Math.log(Math.max(durationMs, lowestMs) / lowestMs) / logGrowth)
      const index = Math.min(bucket, buckets - 1)
      counts[index] = (counts[index] ?? 0) + 1
      count += 1
      remembered += 1
      if (remembered < memoryCalls) return
      for (let each = 0; each < buckets; each++) counts[each] = (counts[each] ?? 0) / 2
      remembered /= 2
    },
    quantile: (share) => {
      if (remembered === 0) return 0
      let below = 0
      for (let index = 0; index < buckets; index++) {
        below += counts[index] ?? 0
        if (below >= share * remembered) return lowestMs * growth ** index
      }
      return lowestMs * growth ** (buckets - 1)
    },
  }
}
