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
  /** Set here alone; read at each call. */
  isOn = false
  /** Of those it waits for; null when there were none. */
  private draining: AbortController | null = null

  constructor(parts: StandbyParts) {
    this.parts = parts
  }

  /**
   * The calls in flight have `drainTimeoutMs` to end; resolves to how many of them had to be ended
   * then, none if it serves again by that time. Null: there were none. Of a thousand revisions few have
   * any, and V8 compiles each small function on the way by itself, which takes it longer the more
   * contexts there are (`JSHeapBroker::CollectArrayAndObjectPrototypes` visits them all).
   */
  begin(drainTimeoutMs: number): Promise<number> | null {
    this.isOn = true
    if (this.parts.active.size > 0) return this.drain(drainTimeoutMs)
    this.parts.timers.hold()
    return null
  }

  /** To be called before a call begins. */
  wake(): void {
    this.parts.timers.resume()
    this.parts.active.onIdle(this.hold)
  }

  end(): void {
    this.isOn = false
    this.draining?.abort()
    this.draining = null
    this.parts.timers.resume()
  }

  private async drain(timeoutMs: number): Promise<number> {
    const { active, clock } = this.parts
    const draining = new AbortController()
    this.draining = draining
    // Those that come later are answers in another's stead.
    const left = active.all()
    active.onIdle(this.hold)
    await drained(active, { clock, timeoutMs, signal: draining.signal })
    if (draining.signal.aborted) return 0
    const overdue = left.filter((call) => !call.hasEnded)
    for (const call of overdue) call.stop()
    return overdue.length
  }

  /** One for all calls: a set keeps it once, however many there are before none is left. */
  private readonly hold = (): void => {
    if (this.isOn) this.parts.timers.hold()
  }
}
