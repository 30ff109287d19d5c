import type { LimitedRun } from './container/create-container.ts'
import type { Timers } from './container/create-timers.ts'

/** Keeps on disk which revisions are at work, for a process that does not survive it. */
export interface ProbationRecord {
  /** Whether the release had proven itself when it was loaded. */
  readonly isProven: boolean
  /** Whether it is to be on the record although it has. */
  readonly isWatched: boolean
  /** A call, or the first of its timers. On the record when it returns. Never throws, as the others. */
  begins(): void
  ends(): void
  /** It has proven itself, anew or once more. */
  graduates(): void
}

export interface ProbationOptions {
  /** So many calls must end before the revision is proven; 0 for one that is. */
  readonly calls: number
  /** Longest time a call's synchronous code may take until then; null: no guard of its own. */
  readonly guardMs: number | null
  readonly record: ProbationRecord
}

/** A call that may be made twice is two of them. */
const maxStarvedInARow = 3

/**
 * The first calls of a revision here: on the record while they run and leave timers behind, and each
 * under a guard of its own, which a proven revision no longer pays for (about 170 µs a call, a thread
 * each). One that is watched stays on the record, without the guard.
 */
export class Probation {
  private readonly options: ProbationOptions
  private readonly runLimited: LimitedRun
  private readonly onOverrun: (requestId: string) => void
  private readonly onOver: () => void
  private readonly timers: Pick<Timers, 'observe'>
  private left: number
  private starvedInARow = 0

  constructor(
    options: ProbationOptions,
    parts: {
      readonly runLimited: LimitedRun
      /** The synchronous code of this call was ended. */
      readonly onOverrun: (requestId: string) => void
      readonly onOver: () => void
      readonly timers: Pick<Timers, 'observe'>
    },
  ) {
    this.options = options
    this.runLimited = parts.runLimited
    this.onOverrun = parts.onOverrun
    this.onOver = parts.onOver
    this.timers = parts.timers
    this.left = options.calls
    const { record } = options
    this.timers.observe((isOpen) => (isOpen ? record.begins() : record.ends()))
  }

  /** Whether it has still to prove itself. */
  get isOpen(): boolean {
    return this.left > 0
  }

  /** Before a call enters the function. */
  begin(): void {
    this.options.record.begins()
  }

  /** Once per `begin`, when the call has its outcome. */
  end(): void {
    const { record } = this.options
    record.ends()
    if (this.left > 0) this.left -= 1
    if (this.left > 0 || record.isWatched) return
    record.graduates()
    this.timers.observe(null)
    this.onOver()
  }

  /**
   * Runs the synchronous part of a call. `starved`: it was ended and had no time to compute in, which
   * is the machine's doing (a container out of its share, a garbage collection whose helpers are). The
   * third time in a row it is the function's.
   */
  enter(requestId: string, run: () => void): 'done' | 'starved' {
    const { guardMs } = this.options
    if (guardMs === null || !this.isOpen) {
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
