export interface BulkheadLimits {
  /** Calls that may run at once. */
  readonly maxConcurrency: number
  /** Further calls that may wait for their turn. Default 0. */
  readonly maxQueue?: number | undefined
}

/** Calls of one revision that wait, in order. */
export interface WaitingLine {
  readonly maxConcurrency: number
  /** Ticket of its first; infinite when none waits. */
  readonly firstTicket: number
  /** Its first leaves the line and begins: its place is taken already. */
  admitFirst(): void
}

/**
 * The calls of one function, those of all its revisions together: how many run, and which waits the
 * longest. Each revision holds these totals against the limits of its own release, so that a canary or
 * a release that drains is no second allowance.
 *
 * Numbers alone on the way of a call that need not wait: this is the hot path.
 */
export class Bulkhead {
  private running = 0
  private waiting = 0
  private tickets = 0
  private readonly lines = new Set<WaitingLine>()

  /** Whether a call more is too many under these limits. */
  isFull(maxConcurrency: number, maxQueue: number): boolean {
    return this.running >= maxConcurrency && this.waiting >= maxQueue
  }

  /** Takes a place, if one is free under this limit. */
  enter(maxConcurrency: number): boolean {
    if (this.running >= maxConcurrency) return false
    this.running++
    return true
  }

  /** A call has joined the line; returns its ticket, higher than any before. */
  wait(line: WaitingLine): number {
    this.lines.add(line)
    this.waiting++
    return this.tickets++
  }

  /** A call of the line, which it has left, waits no more. */
  giveUp(line: WaitingLine): void {
    this.waiting--
    if (line.firstTicket === Infinity) this.lines.delete(line)
  }

  /** Gives a place back. The call that waits the longest gets it, of those whose limits allow that. */
  leave(): void {
    this.running--
    if (this.waiting > 0) this.admitNext()
  }

  /** One at most: all that wait found as many running as they allow, and one has left. */
  private admitNext(): void {
    let next: WaitingLine | null = null
    for (const line of this.lines) {
      const isAllowed = this.running < line.maxConcurrency
      if (isAllowed && (next === null || line.firstTicket < next.firstTicket)) next = line
    }
    if (next === null) return
    this.running++
    this.waiting--
    next.admitFirst()
    if (next.firstTicket === Infinity) this.lines.delete(next)
  }
}
