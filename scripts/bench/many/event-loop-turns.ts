/** A stretch of time, in `performance.now()` milliseconds. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** What one turn of the event loop did. */
export interface TurnSpan extends Span {
  /** Processor time of the main thread, which is less when something else had the core. */
  readonly cpuMs: number
}

/** How long the event loop stood still at once, and how much of that is whose. */
export interface Turn {
  readonly totalMs: number
  /** Without garbage collection. */
  readonly withoutGcMs: number
  /**
   * Without garbage collection and without the top level of functions; no more than the processor
   * time of the turn: when something else had the core, that was nobody's doing here.
   */
  readonly ownMs: number
  /** Processor time, garbage collection and top level included. */
  readonly cpuMs: number
}

export interface TurnSources {
  readonly turns: readonly TurnSpan[]
  readonly collections: readonly Span[]
  readonly topLevels: readonly Span[]
}

/** In the order of the turns. Collections in the middle of a top level are taken off once. */
export function divideTurns({ turns, collections, topLevels }: TurnSources): Turn[] {
  const others = [...collections, ...topLevels]
  return turns.map((turn) => {
    const totalMs = turn.to - turn.from
    return {
      totalMs,
      withoutGcMs: totalMs - covered(turn, collections),
      ownMs: Math.min(totalMs - covered(turn, others), turn.cpuMs),
      cpuMs: turn.cpuMs,
    }
  })
}

/** How much of the turn lies in any of the spans. */
function covered(turn: Span, spans: readonly Span[]): number {
  const within = spans
    .filter(({ from, to }) => from < turn.to && to > turn.from)
    .toSorted((a, b) => a.from - b.from)
  let total = 0
  let end = turn.from
  for (const { from, to } of within) {
    const until = Math.min(to, turn.to)
    total += Math.max(0, until - Math.max(from, end))
    end = Math.max(end, until)
  }
  return total
}
