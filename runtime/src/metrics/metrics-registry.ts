import { CallMetrics } from './call-metrics.ts'

/** Counters of the revisions this process has loaded, newest last. */
export interface MetricsRegistry {
  /** The same counters for the same revision, however often it is loaded. */
  forRevision(functionName: string, revision: string): CallMetrics
  /** Null when it was never loaded here, or too many others of its function were since. */
  find(functionName: string, revision: string): CallMetrics | null
  series(): Iterable<RevisionSeries>
  /** Counts a call that was answered for the function with this code, without any of its revisions. */
  turnAway(functionName: string, code: string): void
  turnedAway(): Iterable<TurnedAway>
  /** Tells one listener of every revision, those that are there and those to come; null: nobody. */
  watch(onSeries: ((series: RevisionSeries) => void) | null): void
  /** By function: see `CallMetrics.loopMs`. */
  loopMs(): ReadonlyMap<string, number>
}

export interface RevisionSeries {
  readonly function: string
  /** Id of the revision. */
  readonly revision: string
  readonly metrics: CallMetrics
}

export interface TurnedAway {
  readonly function: string
  readonly code: string
  readonly calls: number
}

/**
 * How many revisions of a function keep their counters: what serves, its canary and what they
 * replaced, long enough for the next scrape to see how the old ones ended.
 */
const revisionsPerFunction = 4

export function createMetricsRegistry(): MetricsRegistry {
  const functions = new Map<string, Map<string, CallMetrics>>()
  const turnedAway = new Map<string, Map<string, number>>()
  let listener: ((series: RevisionSeries) => void) | null = null

  function* series(): Generator<RevisionSeries> {
    for (const [name, revisions] of functions) {
      for (const [revision, metrics] of revisions) yield { function: name, revision, metrics }
    }
  }

  return {
    forRevision: (functionName, revision) => {
      const revisions = functions.get(functionName) ?? new Map<string, CallMetrics>()
      functions.set(functionName, revisions)
      const known = revisions.get(revision)
      const metrics = known ?? new CallMetrics()
      // Again at the end: the one that is loaded now is the last to go.
      revisions.delete(revision)
      revisions.set(revision, metrics)
      for (const oldest of revisions.keys()) {
        if (revisions.size <= revisionsPerFunction) break
        revisions.delete(oldest)
      }
      if (known === undefined) listener?.({ function: functionName, revision, metrics })
      return metrics
    },
    find: (functionName, revision) => functions.get(functionName)?.get(revision) ?? null,
    loopMs: () => {
      const totals = new Map<string, number>()
      for (const [name, revisions] of functions) {
        let total = 0
        for (const metrics of revisions.values()) total += metrics.loopMs
        totals.set(name, total)
      }
      return totals
    },
    series,
    turnAway: (functionName, code) => {
      const codes = turnedAway.get(functionName) ?? new Map<string, number>()
      turnedAway.set(functionName, codes)
      codes.set(code, (codes.get(code) ?? 0) + 1)
    },
    *turnedAway() {
      for (const [name, codes] of turnedAway) {
        for (const [code, calls] of codes) yield { function: name, code, calls }
      }
    },
    watch: (onSeries) => {
      listener = onSeries
      if (onSeries !== null) for (const each of series()) onSeries(each)
    },
  }
}
