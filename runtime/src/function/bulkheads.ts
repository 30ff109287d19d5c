import { Bulkhead } from './bulkhead.ts'

/** The bulkheads of a runtime, by function. */
export interface Bulkheads {
  /** The same for all revisions of a function that are in memory at a time. */
  of(functionName: string): Bulkhead
  /** How many are remembered. */
  readonly size: number
}

/**
 * Each lives as long as a revision or a call that has it: those that drain keep it for the next, and
 * nothing has to be given back by whoever fails to load, or is ended by the watchdog meanwhile.
 */
export function createBulkheads(): Bulkheads {
  const bulkheads = new Map<string, WeakRef<Bulkhead>>()
  const forget = new FinalizationRegistry((functionName: string) => {
    // There may be another by now.
    if (bulkheads.get(functionName)?.deref() === undefined) bulkheads.delete(functionName)
  })

  return {
    of: (functionName) => {
      const known = bulkheads.get(functionName)?.deref()
      if (known !== undefined) return known
      const bulkhead = new Bulkhead()
      bulkheads.set(functionName, new WeakRef(bulkhead))
      forget.register(bulkhead, functionName)
      return bulkhead
    },
    get size() {
      return bulkheads.size
    },
  }
}
