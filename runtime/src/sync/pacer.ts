import { setImmediate } from 'node:timers/promises'

/** To be awaited between two small pieces of work: lets requests through when it is time to. */
export type Pause = () => Promise<void>

/** Longest piece of our own work between two turns of the event loop. */
const sliceMs = 5

export function createPacer(): Pause {
  let startedAt = performance.now()
  return async () => {
    if (performance.now() - startedAt < sliceMs) return
    await setImmediate()
    startedAt = performance.now()
  }
}
