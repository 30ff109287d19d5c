import { chargeResumed } from '../attribution.ts'
import { microtask } from '../microtask.ts'

/**
 * The global of this name. The host's own calls back within an `AsyncResource`, where the watchdog
 * cannot end a loop without ending the process: this one does from a bare microtask.
 */
export function queueMicrotask(run: unknown): void {
  if (typeof run !== 'function') throw new TypeError('The callback must be a function')
  void microtask.then(() => {
    chargeResumed()
    return run()
  })
}
