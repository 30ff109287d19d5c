import type { Clock } from '../clock.ts'
import type { ActiveCalls } from './active-calls.ts'
import type { Timers } from './container/create-timers.ts'
import { drained } from './drained.ts'

export interface StandbyParts {
  readonly active: ActiveCalls
  readonly timers: Pick<Timers, 'hold' | 'resume'>
  readonly clock: Clock
}

/**
 * The state of a revision that serves no more and is kept, as it may again: what it had begun comes to
 * an end as if it were disposed of, and it does nothing by itself. It may be called all the same, to
 * answer in the stead of the one that replaced it: while it is, its timers run.
 */
export class Standby {
  private readonly parts: StandbyParts
  private isBegun = false
  /** Of those it waits for; null when there were none. */
  private draining: AbortController | null = null

  constructor(parts: StandbyParts) {
    this.parts = parts
  }

  get isOn(): boolean {
    return this.isBegun
  }

  /**
   * The calls in flight have `drainTimeoutMs` to end; resolves to how many of them had to be ended
   * then, none if it serves again by that time.
   */
  async begin(drainTimeoutMs: number): Promise<number> {
    this.end()
    const { active, clock } = this.parts
    this.isBegun = true
    if (active.size === 0) {
      this.hold()
      return 0
    }
    const draining = new AbortController()
    this.draining = draining
    // Those that come later are answers in another's stead.
    const left = active.all()
    active.onIdle(this.hold)
    await drained(active, { clock, timeoutMs: drainTimeoutMs, signal: draining.signal })
    if (draining.signal.aborted) return 0
    const overdue = left.filter((call) => !call.hasEnded)
    for (const call of overdue) call.stop()
    return overdue.length
  }

  /** To be called before a call begins. */
  wake(): void {
    this.parts.timers.resume()
    this.parts.active.onIdle(this.hold)
  }

  end(): void {
    this.isBegun = false
    this.draining?.abort()
    this.draining = null
    this.parts.timers.resume()
  }

  /** One for all calls: a set keeps it once, however many there are before none is left. */
  private readonly hold = (): void => {
    if (this.isOn) this.parts.timers.hold()
  }
}
