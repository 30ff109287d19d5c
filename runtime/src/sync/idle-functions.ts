/** What is known of a loaded function. */
export interface FunctionUse {
  readonly function: string
  /** Calls so far. */
  readonly calls: number
  /** Has calls in flight, or a canary beside it. */
  readonly isBusy: boolean
}

/** Notices which functions nobody calls any more, from call counters alone: calls pay nothing for it. */
export interface IdleFunctions {
  /** Of the loaded functions, those that nobody called for so long, the longest first. */
  observe(loaded: readonly FunctionUse[], now: number): readonly string[]
  /** Functions that were called within that time, loaded or not. */
  readonly recent: ReadonlySet<string>
}

export interface IdleFunctionsOptions {
  readonly idleMs: number
  /** Known from before a restart: they count as called now. */
  readonly recent?: readonly string[]
  readonly now: number
}

export function createIdleFunctions(options: IdleFunctionsOptions): IdleFunctions {
  const { idleMs, recent = [] } = options
  const calledAt = new Map(recent.map((name) => [name, options.now]))
  let seen = new Map<string, { readonly calls: number; readonly since: number }>()

  return {
    get recent() {
      return new Set(calledAt.keys())
    },
    observe: (loaded, now) => {
      seen = new Map(
        loaded.map(({ function: name, calls, isBusy }) => {
          const before = seen.get(name)
          const isQuiet = calls === (before?.calls ?? 0) && !isBusy
          if (!isQuiet) calledAt.set(name, now)
          return [name, { calls, since: isQuiet ? (before?.since ?? now) : now }]
        }),
      )
      for (const [name, at] of calledAt) if (now - at >= idleMs) calledAt.delete(name)
      return [...seen]
        .filter(([, { since }]) => now - since >= idleMs)
        .toSorted(([, a], [, b]) => a.since - b.since)
        .map(([name]) => name)
    },
  }
}
