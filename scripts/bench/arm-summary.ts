import type { Launch } from './measure-round.ts'
import { type Estimate, estimateMedian, median, pairedRatios, spreadPercent } from './statistics.ts'

export interface ArmSummary {
  readonly requestsPerSecond: number
  /** Fastest to slowest launch, in percent of the median. */
  readonly spreadPercent: number
  /** Null where it could not be read. */
  readonly cpuMicrosPerRequest: number | null
  readonly rssBytes: number | null
  /** Null when the open load was left out. */
  readonly openRatePerSecond: number | null
  readonly openP50Ms: number | null
  readonly openP99Ms: number | null
}

/** Medians over the launches of one arm. */
export function summariseArm(launches: readonly Launch[]): ArmSummary {
  const middle = (value: (launch: Launch) => number | null): number | null => {
    const known = launches.map(value).filter((measured) => measured !== null)
    return known.length === 0 ? null : median(known)
  }
  const perSecond = launches.map(({ requestsPerSecond }) => requestsPerSecond)
  return {
    requestsPerSecond: median(perSecond),
    spreadPercent: spreadPercent(perSecond),
    cpuMicrosPerRequest: middle(({ cpuMicrosPerRequest }) => cpuMicrosPerRequest),
    rssBytes: middle(({ rssBytes }) => rssBytes),
    openRatePerSecond: middle(({ open }) => open && open.ratePerSecond),
    openP50Ms: middle(({ open }) => open && open.p50Ms),
    openP99Ms: middle(({ open }) => open && open.p99Ms),
  }
}

/**
 * Throughput of one arm to another, whose launches were of the same rounds: median of each round's
 * turns, then the rounds' median with its 95 % interval.
 */
export function estimateRatio(
  above: readonly Launch[],
  below: readonly Launch[],
  seed: number,
): Estimate {
  const ofRounds = above.map(({ turns }, round) =>
    median(pairedRatios(turns, below[round]?.turns ?? [])),
  )
  return estimateMedian(ofRounds, { seed })
}

/** Requests one arm answered in its warm-up to those of another, whose launches were of the same rounds. */
export function estimateWarmUpRatio(
  above: readonly Launch[],
  below: readonly Launch[],
  seed: number,
): Estimate {
  const ofRounds = pairedRatios(above.map(warmUpRequests), below.map(warmUpRequests))
  return estimateMedian(ofRounds, { seed })
}

const warmUpRequests = (launch: Launch): number => launch.warmUpRequests

/** 99th percentile of one arm at the open rate to another's of the same round; null where there is none. */
export function estimateLatencyRatio(
  above: readonly Launch[],
  below: readonly Launch[],
  seed: number,
): Estimate | null {
  const ofRounds = above.flatMap(({ open }, round) => {
    const other = below[round]?.open
    if (open === null || other === undefined || other === null) return []
    return [open.p99Ms / other.p99Ms]
  })
  return ofRounds.length === 0 ? null : estimateMedian(ofRounds, { seed })
}
