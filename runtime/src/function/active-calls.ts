import type { ActiveCall } from './active-call.ts'

export interface BulkheadLimits {
  /** Calls that may run at once. */
  readonly maxConcurrency: number
  /** Further calls that may wait for their turn. Default 0. */
  readonly maxQueue?: number | undefined
}

let underWay = 0

/** Calls of all revisions in the process that have begun and not ended. */
export function callsUnderWay(): number {
  return underWay
}

/**
 * The calls of one revision that have begun and not ended: those that run, and behind them a queue.
 * A running call knows its place in the list, so that joining and leaving cost no hashing on the
 * hot path.
 */
export class ActiveCalls {
  private readonly limits: BulkheadLimits
  private readonly running: ActiveCall[] = []
  private readonly queued = new Set<ActiveCall>()
  private readonly waiting = new Set<() => void>()

  constructor(limits: BulkheadLimits) {
    this.limits = limits
  }

  /** Running and queued. */
  get size(): number {
    return this.running.length + this.queued.size
  }

  /** Whether one more call is too many. */
  get isFull(): boolean {
    const { maxConcurrency, maxQueue = 0 } = this.limits
    return this.running.length >= maxConcurrency && this.queued.size >= maxQueue
  }

  /** Whether the call may run now; else it is queued, and gets its `onTurn`. */
  add(call: ActiveCall): boolean {
    underWay++
    if (this.running.length < this.limits.maxConcurrency) {
      call.place = this.running.push(call) - 1
      return true
    }
    this.queued.add(call)
    return false
  }

  /** Once per call that was added. */
  remove(call: ActiveCall): void {
    underWay--
    if (call.place < 0) this.queued.delete(call)
    else this.leave(call)
    if (this.waiting.size > 0 && this.size === 0) this.wake()
  }

  /** A copy. Queued ones come first, so that none gets its turn when they are ended in this order. */
  all(): readonly ActiveCall[] {
    return [...this.queued, ...this.running]
  }

  /** Ends them all. */
  stop(): void {
    for (const call of this.all()) call.stop()
  }

  /** Ends the one whose execution was ended, if it still waits, and those that would begin next. */
  stopRunaway(requestId: string | null): void {
    for (const call of this.queued) call.stop()
    const stranded = this.running.filter(({ call }) => call.requestId === requestId)
    for (const call of stranded) call.stopRunaway()
  }

  /** The microtasks that waited are gone: those that waited for one get on. */
  resume(): void {
    // A copy: one may end.
    for (const call of this.running.slice()) call.onMicrotasksLost()
  }

  /** Calls `resume` once, when none is left; returns what takes the wish back. */
  onIdle(resume: () => void): () => void {
    this.waiting.add(resume)
    return () => this.waiting.delete(resume)
  }

  private leave(call: ActiveCall): void {
    const last = this.running.pop()
    if (last !== undefined && last !== call) {
      this.running[call.place] = last
      last.place = call.place
    }
    call.place = -1
    if (this.queued.size > 0) this.admitNext()
  }

  private admitNext(): void {
    for (const next of this.queued) {
      this.queued.delete(next)
      next.place = this.running.push(next) - 1
      return next.onTurn()
    }
  }

  private wake(): void {
    for (const resume of this.waiting) resume()
    this.waiting.clear()
  }
}
