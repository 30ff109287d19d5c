import { DurationHistogram } from './duration-histogram.ts'

/** What a metric needs to know of an answered call. */
export interface AnsweredCall {
  /** Why it is not a success; null when it is one. */
  readonly errorCode: string | null
  /** Whether the function, not its caller, is to blame. */
  readonly functionFault: boolean
}

/** Functions choose their error codes freely; a label with endless values would sink a Prometheus. */
const maxErrorCodes = 32
/** Nor should one label fill a scrape. */
const maxErrorCodeLength = 64

/** Under which codes beyond the first 32 of a revision, and those over 64 characters, are counted together. */
export const otherErrorCodes = 'OTHER'

/**
 * After so many calls, a power of two, only one in so many is timed, and counts for all of them. The
 * first ones, which compile and are slower than the rest, count for themselves.
 */
const timedOneIn = 16
/**
 * After a part of a call that takes so long the next 16 are timed each: to measure them costs nothing
 * beside it, and of few heavy calls every sixteenth tells little.
 */
const heavyMs = 1

/** What the calls of one revision came to since it was first loaded here. */
export class CallMetrics {
  /** Answered calls, refused and failed ones included. */
  calls = 0
  /** Those the function is to blame for. */
  faults = 0
  /** Those that had to wait for it to be loaded. */
  coldStarts = 0
  /** Failures of what it left behind that nobody awaited, at most one for a call. */
  strayFaults = 0
  /** Lines of its log that were not written, as there were too many. */
  droppedLines = 0
  /** By error code, caller's errors included. */
  readonly errors = new Map<string, number>()
  /** To the answer, or to the head of a streaming one. */
  readonly durations = new DurationHistogram()
  /**
   * Milliseconds the event loop spent in it, estimated from a sample of its calls: entering,
   * validating, the handler, also after its awaits, its timers, and serialising. See `loop-time.ts`.
   */
  loopMs = 0
  /** What its loads took of the event loop's time. */
  readonly loads = new DurationHistogram()
  /** Growth of the heap during its last load, collections included; null before the first. */
  loadHeapBytes: number | null = null
  #begun = 0
  #timedEach = timedOneIn
  /** Faults of calls whose answer had begun well. */
  #lateFaults = 0

  /** Calls answered without a fault of the function; one that broke off later had been answered. */
  get successes(): number {
    return this.calls - this.faults + this.#lateFaults
  }

  /** Once per call; returns for how many calls it is to be timed, 0 for one that is not. */
  begin(): number {
    this.#begun += 1
    if (this.#timedEach > 0) {
      this.#timedEach -= 1
      return 1
    }
    return (this.#begun & (timedOneIn - 1)) === 0 ? timedOneIn : 0
  }

  recordLoopTime(durationMs: number, calls: number): void {
    if (durationMs >= heavyMs) this.#timedEach = timedOneIn
    this.loopMs += durationMs * calls
  }

  recordLoad(cost: { readonly durationMs: number; readonly heapBytes: number }): void {
    this.loads.record(cost.durationMs)
    this.loadHeapBytes = cost.heapBytes
  }

  record({ errorCode, functionFault }: AnsweredCall, durationMs: number): void {
    this.calls += 1
    if (functionFault) this.faults += 1
    if (errorCode !== null) this.#countError(errorCode)
    this.durations.record(durationMs)
  }

  /** Of a call that is recorded already: its answer broke off after its head had left. */
  recordLateFault(code: string): void {
    this.faults += 1
    this.#lateFaults += 1
    this.#countError(code)
  }

  #countError(code: string): void {
    const { errors } = this
    const isKept =
      errors.has(code) || (errors.size < maxErrorCodes && code.length <= maxErrorCodeLength)
    const counted = isKept ? code : otherErrorCodes
    errors.set(counted, (errors.get(counted) ?? 0) + 1)
  }
}
