import { Session } from 'node:inspector'
import { askLook, type LookChannel } from './look-channel.ts'
import type { RunningCode } from './running-code.ts'

/** Key on the global object of the main thread: what answers a look, by its number. */
export const lookKey = 'needle.look'

/** What the watchdog's thread can do with the main thread, however busy that is. */
export interface MainThread {
  /**
   * Asks what it is doing, decides about it, ends the execution if so and if the process survives
   * that, and lets it go on: less than a millisecond. Blocks this thread meanwhile. Null: it runs no
   * function. `lost`: it did not answer in time, as in native code.
   */
  look(
    isRunaway: (revision: string) => boolean,
  ): { readonly code: RunningCode; readonly isEnded: boolean } | null | 'lost'
  /** To be called once it goes on by itself. Idempotent. */
  leave(): void
}

/**
 * Through the inspector, whose messages interrupt JavaScript wherever it is. No debugger is enabled:
 * that took over a second with 1,000 functions loaded, and one pause of it made the code that runs
 * after it slower for good. Connected from the first look to `leave` only, since a process that exits
 * with a session open says on standard error that it waits for a debugger.
 */
export function reachMainThread(channel: LookChannel): MainThread {
  let session: Session | null = null
  let looks = 0
  return {
    look: (isRunaway) => {
      looks += 1
      const look = looks
      const expression = `globalThis[Symbol.for('${lookKey}')]?.(${look})`
      const open = (session ??= connect())
      return askLook(channel, look, {
        ask: () => open.post('Runtime.evaluate', { expression, silent: true }),
        // Both are asked: the judge learns who was there even when that one cannot be stopped.
        decide: ({ revision, isStoppable }) => isRunaway(revision) && isStoppable,
        end: () => open.post('Runtime.terminateExecution'),
      })
    },
    leave: () => {
      session?.disconnect()
      session = null
    },
  }
}

function connect(): Session {
  const session = new Session()
  session.connectToMainThread()
  return session
}
