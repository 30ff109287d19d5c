import type { Revision } from './function/revision.ts'
import type { RuntimeEvent, WatchdogStatus } from './sync/status.ts'

/** An execution that was ended because it held the event loop. */
interface Runaway {
  readonly revision: Revision
  readonly requestId: string | null
}

/**
 * What becomes of runaway functions: noted while their execution is paused, taken out of service once
 * it has ended, told of when the event loop turns.
 */
export interface Runaways {
  /** In the middle of the execution that is about to be ended: it may only take note. */
  note(revision: Revision, requestId: string | null): void
  /** Answers their calls and takes them out of service, all that were noted in one go. */
  settle(): void
  /** Tells of those that were settled, after `settle`. */
  tell(stalledMs: number): void
  readonly status: Pick<WatchdogStatus, 'kills' | 'lastKill'>
}

export interface RunawaysOptions {
  /** Epoch milliseconds. */
  readonly now: () => number
  readonly expel: (revision: Revision) => void
  readonly onEvent: (event: RuntimeEvent) => void
}

export function createRunaways({ now, expel, onEvent }: RunawaysOptions): Runaways {
  const noted: Runaway[] = []
  const settled: Runaway[] = []
  const expelled = new WeakSet<Revision>()
  let kills = 0
  let lastKill: number | null = null

  const settle = (): void => {
    for (const runaway of noted.splice(0)) {
      const { revision, requestId } = runaway
      kills += 1
      lastKill = now()
      // Who runs away twice may hold the event loop as often as it has calls and timers.
      if (expelled.has(revision)) revision.dispose()
      else revision.stopRunaway(requestId)
      expelled.add(revision)
      expel(revision)
      settled.push(runaway)
    }
  }

  return {
    note: (revision, requestId) => {
      // Once per execution: it may have to be stopped twice before that takes.
      const isKnown = noted.some(
        (each) => each.revision === revision && each.requestId === requestId,
      )
      if (!isKnown) noted.push({ revision, requestId })
    },
    settle,
    tell: (stalledMs) => {
      settle()
      for (const { revision, requestId } of settled.splice(0)) {
        onEvent({ type: 'runaway', revision: revision.id, requestId, stalledMs, stopped: true })
      }
    },
    get status() {
      return { kills, lastKill: lastKill === null ? null : new Date(lastKill).toISOString() }
    },
  }
}
