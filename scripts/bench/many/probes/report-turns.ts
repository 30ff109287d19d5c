import { divideTurns } from '../event-loop-turns.ts'
import { watchCollections } from './watch-collections.ts'
import { watchTopLevels } from './watch-top-levels.ts'
import { watchTurns } from './watch-turns.ts'

export interface TurnReporter {
  /** Functions that were loaded up to now, by their top levels. */
  readonly loaded: number
  /** Does this, and tells the parent the turns of the event loop meanwhile (`Turn[]`, those over a millisecond). */
  report(activity: () => Promise<void>): Promise<void>
}

/** To be created before anything is loaded. */
export function createTurnReporter(): TurnReporter {
  const collections = watchCollections()
  const topLevels = watchTopLevels()
  return {
    get loaded() {
      return topLevels.count
    },
    report: async (activity) => {
      const turns = watchTurns()
      await activity()
      const spans = turns.stop()
      const parts = { collections: await collections.take(), topLevels: topLevels.take() }
      process.send?.({ turns: divideTurns({ turns: spans, ...parts }) })
    },
  }
}
