/** Decides from heartbeats and looks at the stack when a function has run away. Knows no thread and no clock. */
export interface StallJudge {
  /**
   * To be called every tick.
   *
   * @returns whether to look at what the main thread does
   */
  observe(tick: {
    readonly beats: number
    /** A stall is to be expected. */
    readonly isHeld: boolean
    /** Since the tick before. */
    readonly elapsedMs: number
    readonly limitMs: number
  }): boolean
  /** A look found this revision on the stack. Returns whether it is to be stopped. */
  isRunaway(revision: string): boolean
  /** A look came to nothing; the next tick asks for another. */
  onLookLost(): void
  /** Since the last sign of life, as far as this thread could see. */
  readonly stalledMs: number
}

/** Soon after a stop, more of the same is to be expected. */
const alertMs = 30_000
/** Then a first look comes after so long, and a second stall of the same revision ends there. */
const alertLookMs = 100
/** In the very stall in which a revision was stopped: as it goes on, or another of its calls, or the next's. */
const againMs = 40

export function createStallJudge(options: { readonly maxElapsedMs: number }): StallJudge {
  let lastBeats = -1
  let stalledMs = 0
  let nextLookMs = 0
  /** When the look that goes on, or the last, began. */
  let lookAtMs = 0
  let limitMs = 0
  let alertLeftMs = 0
  const stopped = new Set<string>()
  /** Who was on the stack at a look of this stall, and when first. */
  const suspects = new Map<string, number>()

  const firstLookMs = (): number => (alertLeftMs > 0 ? Math.min(alertLookMs, limitMs) : limitMs / 2)

  return {
    get stalledMs() {
      return stalledMs
    },
    observe: (tick) => {
      // More than that is this thread's own sleep: a suspended machine, a starved process.
      const elapsedMs = Math.min(tick.elapsedMs, options.maxElapsedMs)
      limitMs = tick.limitMs
      alertLeftMs = Math.max(0, alertLeftMs - elapsedMs)
      if (alertLeftMs === 0) stopped.clear()
      if (tick.isHeld || tick.beats !== lastBeats) {
        lastBeats = tick.beats
        stalledMs = 0
        suspects.clear()
        nextLookMs = firstLookMs()
        return false
      }
      stalledMs += elapsedMs
      if (stalledMs < nextLookMs) return false
      lookAtMs = stalledMs
      nextLookMs = stalledMs + limitMs / 2
      return true
    },
    onLookLost: () => {
      nextLookMs = stalledMs
    },
    isRunaway: (revision) => {
      const sinceMs = suspects.get(revision) ?? lookAtMs
      suspects.set(revision, sinceMs)
      // One look could hit a function that has just begun after a stall of the host's own.
      const isLong = lookAtMs >= limitMs && lookAtMs - sinceMs >= limitMs / 2
      if (stopped.has(revision) || isLong) {
        stopped.add(revision)
        alertLeftMs = alertMs
        nextLookMs = lookAtMs + againMs
        return true
      }
      // Those who take turns, as endless promises do, are each met by chance.
      const takesTurns = lookAtMs >= limitMs && suspects.size > 1
      nextLookMs = takesTurns ? lookAtMs : Math.max(limitMs, lookAtMs + limitMs / 2)
      return false
    },
  }
}
