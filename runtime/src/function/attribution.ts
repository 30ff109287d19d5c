import { AsyncLocalStorage } from 'node:async_hooks'
import { beat } from './heartbeat.ts'

/**
 * Which function the running code belongs to. Holds strings only, so that a timer or a promise
 * that outlives its call retains no request.
 */
export interface Attribution {
  /** Id of the revision to blame. */
  readonly revision: string
  /** Null while the revision loads and in work it started then. */
  readonly requestId: string | null
  /** False once the call has its outcome: what comes later is left-over work. */
  active: boolean
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
  return storage.run(attribution, run)
}

/**
 * Charges the rest of the running microtask, and all it starts, to `attribution`. To be called first
 * thing in a microtask of its own: V8 takes the async context away where one ends, so that nothing
 * has to be put back, which is half of what `runAttributed` costs.
 */
export function chargeMicrotask(attribution: Attribution): void {
  beat()
  storage.enterWith(attribution)
}
