import type { ActiveCall } from './active-call.ts'
import { Bulkhead, type BulkheadLimits, type WaitingLine } from './bulkhead.ts'

let underWay = 0

/** Calls of all revisions in the process that have begun and not ended. */
export function callsUnderWay(): number {
  return underWay
}

/**
 * The calls of one revision that have begun and not ended: those that run, and behind them a queue.
 * How many there may be, and whose turn it is, the bulkhead of its function says. A running call knows
 * its place in the list, so that joining and leaving cost no hashing on the hot path.
 */
export class ActiveCalls implements WaitingLine {
  private readonly limits: BulkheadLimits
  private readonly bulkhead: Bulkhead
  private readonly running: ActiveCall[] = []
  /** With their tickets. */
  private readonly queued = new Map<ActiveCall, number>()
  /** For none to be left; null where nobody does. */
  private waiting: Set<() => void> | null = null

  /** `bulkhead` is shared with the other revisions of the function. Default: one of its own. */
  constructor(limits: BulkheadLimits, bulkhead = new Bulkhead()) {
    this.limits = limits
    this.bulkhead = bulkhead
  }

  /** Running and queued. */
  get size(): number {
    return this.running.length + this.queued.size
  }

  /** Whether one more call is too many. */
  get isFull(): boolean {
    return this.bulkhead.isFull(this.running.length, this.limits)
  }

  /** Whether the call may run now; else it is queued, and gets its `onTurn`. */
  add(call: ActiveCall): boolean {
    underWay++
    if (this.bulkhead.enter(this.running.length, this.limits.maxConcurrency)) {
      call.place = this.running.push(call) - 1
      return true
    }
    this.queued.set(call, this.bulkhead.wait(this))
    return false
  }

  /** Once per call that was added. */
  remove(call: ActiveCall): void {
    underWay--
    if (call.place < 0) this.giveUp(call)
    else this.leave(call)
    if (this.waiting !== null && this.size === 0) this.wake(this.waiting)
  }

  get maxConcurrency(): number {
    return this.limits.maxConcurrency
  }

  get runningCount(): number {
    return this.running.length
  }

  get firstTicket(): number {
    for (const ticket of this.queued.values()) return ticket
    return Infinity
  }

  admitFirst(): void {
    for (const next of this.queued.keys()) {
      this.queued.delete(next)
      next.place = this.running.push(next) - 1
      return next.onTurn()
    }
  }

  /** A copy. Queued ones come first, so that none gets its turn when they are ended in this order. */
  all(): readonly ActiveCall[] {
    return [...this.queued.keys(), ...this.running]
  }

  /** A copy of those that have had their turn. */
  allRunning(): readonly ActiveCall[] {
    return this.running.slice()
  }

  /** Ends them all. */
  stop(): void {
    for (const call of this.all()) call.stop()
  }

  /** Ends the one whose execution was ended, if it still waits, and those that would begin next. */
  stopRunaway(requestId: string | null): void {
    for (const call of this.queued.keys()) call.stop()
    const stranded = this.running.filter(({ call }) => call.requestId === requestId)
    for (const call of stranded) call.stopRunaway()
  }

  /** Calls `resume` once, when none is left; returns what takes the wish back. */
  onIdle(resume: () => void): () => void {
    this.waiting ??= new Set()
    this.waiting.add(resume)
    return () => this.waiting?.delete(resume)
  }

  private leave(call: ActiveCall): void {
    const last = this.running.pop()
    if (last !== undefined && last !== call) {
      this.running[call.place] = last
      last.place = call.place
    }
    call.place = -1
    this.bulkhead.leave()
  }

  private giveUp(call: ActiveCall): void {
    this.queued.delete(call)
    this.bulkhead.giveUp(this)
  }

  private wake(waiting: ReadonlySet<() => void>): void {
    for (const resume of waiting) resume()
    this.waiting = null
  }
}
