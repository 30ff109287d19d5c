/** Runs tasks, at most as many at once as the limit says, in the order they came. */
export type ConcurrencyLimit = <Value>(task: () => Promise<Value>) => Promise<Value>

export function limitConcurrency(limit: number): ConcurrencyLimit {
  const waiting: (() => void)[] = []
  let running = 0

  return async (task) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve))
    else running++
    try {
      return await task()
    } finally {
      // The place is handed on, not given back, so that a newcomer cannot take it in between.
      const next = waiting.shift()
      if (next === undefined) running--
      else next()
    }
  }
}
