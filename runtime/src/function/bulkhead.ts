export interface BulkheadLimits {
  /** Calls that may run at once. */
  readonly maxConcurrency: number
  /** Further calls that may wait for their turn. Default 0. */
  readonly maxQueue?: number | undefined
}

/** The calls of one revision: those that run, and those that wait, in order. */
export interface WaitingLine {
  readonly maxConcurrency: number
  /** How many of them run. */
  readonly runningCount: number
  /** Ticket of the first that waits; infinite when none does. */
  readonly firstTicket: number
  /** The first that waits leaves the line and begins: its place is taken already. */
  admitFirst(): void
}

/**
 * The calls of one function, those of all its revisions together: how many run, and which waits the
 * longest. Each revision has its own limit, and all together have the highest of theirs: a canary, or
 * a release that drains, is no second allowance, and one that lowers the limit still gets its part.
 *
 * Numbers alone on the way of a call that need not wait: this is the hot path.
 */
export class Bulkhead {
  private running = 0
  private waiting = 0
  private tickets = 0
  /** Limit of those that had a call since none ran. */
  private highest = 0
  /** Those in which calls wait. Most functions never have one: a set takes memory. */
  private lines: Set<WaitingLine> | null = null

  /** Whether a call more of a revision is too many, of which so many run. */
  isFull(runningCount: number, { maxConcurrency, maxQueue = 0 }: BulkheadLimits): boolean {
    return !this.allows(runningCount, maxConcurrency) && this.waiting >= maxQueue
  }

  /** Takes a place for a revision of which so many run, if one is free. */
  enter(runningCount: number, maxConcurrency: number): boolean {
    if (!this.allows(runningCount, maxConcurrency)) return false
    this.take(maxConcurrency)
    return true
  }

  /** A call has joined the line; returns its ticket, higher than any before. */
  wait(line: WaitingLine): number {
    this.lines ??= new Set()
    this.lines.add(line)
    this.waiting++
    return this.tickets++
  }

  /** A call of the line, which it has left, waits no more. */
  giveUp(line: WaitingLine): void {
    this.waiting--
    if (line.firstTicket === Infinity) this.lines?.delete(line)
  }

  /** Gives a place back. The call that waits the longest gets it, of those whose limits allow that. */
  leave(): void {
    this.running--
    if (this.running === 0) this.highest = 0
    while (this.waiting > 0 && this.admitNext());
  }

  private allows(runningCount: number, maxConcurrency: number): boolean {
    if (runningCount >= maxConcurrency) return false
    return this.running < maxConcurrency || this.running < this.highest
  }

  private take(maxConcurrency: number): void {
    this.running++
    if (maxConcurrency > this.highest) this.highest = maxConcurrency
  }

  private admitNext(): boolean {
    let next: WaitingLine | null = null
    for (const line of this.lines ?? []) {
      const isAllowed = this.allows(line.runningCount, line.maxConcurrency)
      if (isAllowed && (next === null || line.firstTicket < next.firstTicket)) next = line
    }
    if (next === null) return false
    this.take(next.maxConcurrency)
    this.waiting--
    next.admitFirst()
    if (next.firstTicket === Infinity) this.lines?.delete(next)
    return true
  }
}
