import { AsyncLocalStorage } from 'node:async_hooks'
import { beat } from './heartbeat.ts'
import { chargeLoopTime, type LoopTimeRecord, stopLoopTime } from './loop-time.ts'

/**
 * Which function the running code belongs to. Holds nothing of the request, so that a timer or a
 * promise that outlives its call does not retain it.
 */
export interface Attribution {
  /** Id of the revision to blame. */
  readonly revision: string
  /** Null while the revision loads and in work it started then. */
  readonly requestId: string | null
  /** False once the call has its outcome: what comes later is left-over work. */
  active: boolean
  /** Counters of the revision; null where there are none, and until it has loaded. */
  metrics: AttributedMetrics | null
  /** For so many calls its time of the event loop counts while it is active; 0: it is not timed. */
  readonly timedFor: number
}

export interface AttributedMetrics extends LoopTimeRecord {
  /** Calls it has answered well. */
  readonly successes: number
}

/** While a revision loads, and of what it starts then: its timers are timed once it has loaded. */
export function attributionOfLoad(revision: string): Attribution {
  return { revision, requestId: null, active: true, metrics: null, timedFor: 1 }
}

const storage = new AsyncLocalStorage<Attribution>()

/**
 * The attribution of the running code; undefined when it is the host's own. Holds inside
 * `unhandledRejection` and `uncaughtException` handlers too, so a process-level handler learns
 * from it which revision to charge.
 */
export function currentCall(): Attribution | undefined {
  return storage.getStore()
}

/** Runs `run`, and all it starts, charged to `attribution`. */
export function runAttributed<Result>(attribution: Attribution, run: () => Result): Result {
  beat()
  chargeTime(attribution)
  try {
    return storage.run(attribution, run)
  } finally {
    stopLoopTime()
  }
}

/**
 * Charges the rest of the running microtask, and all it starts, to `attribution`. To be called first
 * thing in a microtask of its own: V8 takes the async context away where one ends, so that nothing
 * has to be put back, which is half of what `runAttributed` costs.
 */
export function chargeMicrotask(attribution: Attribution): void {
  beat()
  storage.enterWith(attribution)
  chargeTime(attribution)
}

/**
 * Charges time of the event loop to the call in whose async context this is: its code is entered again,
 * as by a timer or the answer of a service.
 */
export function chargeResumed(): void {
  chargeTime(storage.getStore())
}

/**
 * As `chargeResumed`, for code that is entered outside the async context of its call. What is left of a
 * call that has ended is timed by itself, not as a sample: one call may start what goes on for ever.
 */
export function chargeTime(attribution: Attribution | undefined): void {
  if (attribution === undefined) return stopLoopTime()
  const { metrics, active, timedFor } = attribution
  chargeLoopTime(metrics, active ? timedFor : 1)
}
