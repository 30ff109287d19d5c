import { chargeResumed, currentCall, runAttributed } from '../attribution.ts'
import { microtask } from '../microtask.ts'

/**
 * A `FinalizationRegistry` for one container. The language's own calls back from a task of the
 * garbage collector's, which belongs to nobody: what a callback threw ended the process. This one
 * charges it to what created the registry, and calls back from a microtask, where the watchdog can
 * stop it.
 */
export function createFinalizationRegistry(): typeof FinalizationRegistry {
  return class<Held> extends FinalizationRegistry<Held> {
    constructor(cleanup: (held: Held) => void) {
      if (typeof cleanup !== 'function') throw new TypeError('cleanup must be a function')
      const charged = currentCall()
      super((held) => {
        const run = (): void =>
          void microtask.then(() => {
            chargeResumed()
            return cleanup(held)
          })
        if (charged === undefined) run()
        else runAttributed(charged, run)
      })
    }
  }
}
