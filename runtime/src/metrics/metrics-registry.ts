import { CallMetrics } from './call-metrics.ts'

/** Counters of the revisions this process has loaded, newest last. */
export interface MetricsRegistry {
  /** The same counters for the same revision, however often it is loaded. */
  forRevision(functionName: string, revision: string): CallMetrics
  /** Null when it was never loaded here, or too many others of its function were since. */
  find(functionName: string, revision: string): CallMetrics | null
  series(): Iterable<RevisionSeries>
  /** By function: see `CallMetrics.loopMs`. */
  loopMs(): ReadonlyMap<string, number>
}

export interface RevisionSeries {
  readonly function: string
  /** Id of the revision. */
  readonly revision: string
  readonly metrics: CallMetrics
}

/**
 * How many revisions of a function keep their counters: what serves, its canary and what they
 * replaced, long enough for the next scrape to see how the old ones ended.
 */
const revisionsPerFunction = 4

export function createMetricsRegistry(): MetricsRegistry {
  const functions = new Map<string, Map<string, CallMetrics>>()

  return {
    forRevision: (functionName, revision) => {
      const revisions = functions.get(functionName) ?? new Map<string, CallMetrics>()
      functions.set(functionName, revisions)
      const metrics = revisions.get(revision) ?? new CallMetrics()
      // Again at the end: the one that is loaded now is the last to go.
      revisions.delete(revision)
      revisions.set(revision, metrics)
      for (const oldest of revisions.keys()) {
        if (revisions.size <= revisionsPerFunction) break
        revisions.delete(oldest)
      }
      return metrics
    },
    find: (functionName, revision) => functions.get(functionName)?.get(revision) ?? null,
    loopMs: () =>
      new Map(
        [...functions].map(([name, revisions]) => [
          name,
          [...revisions.values()].reduce((total, metrics) => total + metrics.loopMs, 0),
        ]),
      ),
    *series() {
      for (const [name, revisions] of functions) {
        for (const [revision, metrics] of revisions) yield { function: name, revision, metrics }
      }
    },
  }
}
