import { createSeededRandom } from './seeded-random.ts'

export interface Estimate {
  readonly median: number
  /** Ends of the 95 % interval of the median. */
  readonly low: number
  readonly high: number
}

/**
 * Median of the samples with its 95 % percentile bootstrap interval (Efron 1979): what the median
 * would have been had the same rounds been drawn again, with replacement. The same seed gives the
 * same interval.
 *
 * @throws RangeError without samples
 */
export function estimateMedian(
  samples: readonly number[],
  { seed, resamples = 10_000 }: { readonly seed: number; readonly resamples?: number },
): Estimate {
  const random = createSeededRandom(seed)
  const medians = Array.from({ length: resamples }, () =>
    median(samples.map(() => samples[Math.floor(random() * samples.length)] ?? Number.NaN)),
  )
  return {
    median: median(samples),
    low: quantile(medians, 0.025),
    high: quantile(medians, 0.975),
  }
}

export function median(samples: readonly number[]): number {
  return quantile(samples, 0.5)
}

/**
 * The value below which the fraction `q` of the samples lies, linear between neighbours (type 7 of
 * Hyndman & Fan 1996).
 *
 * @throws RangeError without samples
 */
export function quantile(samples: readonly number[], q: number): number {
  if (samples.length === 0) throw new RangeError('There is no quantile of nothing')
  const sorted = samples.toSorted((a, b) => a - b)
  const position = (sorted.length - 1) * q
  const below = sorted[Math.floor(position)] ?? Number.NaN
  const above = sorted[Math.ceil(position)] ?? Number.NaN
  return below + (above - below) * (position - Math.floor(position))
}

/** Distance from the smallest to the largest sample, in percent of the median. */
export function spreadPercent(samples: readonly number[]): number {
  return ((quantile(samples, 1) - quantile(samples, 0)) / median(samples)) * 100
}

/** Element by element `above / below`: samples of one round are compared with each other only. */
export function pairedRatios(above: readonly number[], below: readonly number[]): number[] {
  if (above.length !== below.length) throw new RangeError('Samples are not in pairs')
  return above.map((value, index) => value / (below[index] ?? Number.NaN))
}
