import type { LimitedRun } from './container/create-container.ts'

/** Keeps on disk which revisions on probation are at work, for a process that does not survive it. */
export interface ProbationRecord {
  /** On the record when it returns. Never throws, as the others. */
  callBegins(): void
  callEnds(): void
  /** It has proven itself: nothing more is recorded. */
  graduates(): void
}

export interface ProbationOptions {
  /** So many calls must end before the revision is proven. */
  readonly calls: number
  /** Longest time a call's synchronous code may take; null: no guard of its own. */
  readonly guardMs: number | null
  readonly record: ProbationRecord
}

/** A call that may be made twice is two of them. */
const maxStarvedInARow = 3

/**
 * The first calls of a revision here: on the record while they run, and each under a guard of its
 * own, which a proven revision no longer pays for (about 170 µs a call, a thread each).
 */
export class Probation {
  private readonly options: ProbationOptions
  private readonly runLimited: LimitedRun
  private readonly onOverrun: (requestId: string) => void
  private readonly onOver: () => void
  private left: number
  private starvedInARow = 0

  constructor(
    options: ProbationOptions,
    parts: {
      readonly runLimited: LimitedRun
      /** The synchronous code of this call was ended. */
      readonly onOverrun: (requestId: string) => void
      readonly onOver: () => void
    },
  ) {
    this.options = options
    this.runLimited = parts.runLimited
    this.onOverrun = parts.onOverrun
    this.onOver = parts.onOver
    this.left = options.calls
  }

  /** Before a call enters the function. */
  begin(): void {
    this.options.record.callBegins()
  }

  /** Once per `begin`, when the call has its outcome. */
  end(): void {
    this.options.record.callEnds()
    this.left -= 1
    if (this.left !== 0) return
    this.options.record.graduates()
    this.onOver()
  }

  /**
   * Runs the synchronous part of a call. `starved`: it was ended and had no time to compute in, which
   * is the machine's doing (a container out of its share, a garbage collection whose helpers are). The
   * third time in a row it is the function's.
   */
  enter(requestId: string, run: () => void): 'done' | 'starved' {
    const { guardMs } = this.options
    if (guardMs === null) {
      run()
      return 'done'
    }
    const end = this.runLimited(run, guardMs)
    this.starvedInARow = end === 'starved' ? this.starvedInARow + 1 : 0
    if (end === 'starved' && this.starvedInARow < maxStarvedInARow) return 'starved'
    if (end !== 'returned') this.onOverrun(requestId)
    return 'done'
  }
}
