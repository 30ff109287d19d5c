import { type Attribution, currentCall } from './function/attribution.ts'

/** Told of a failure that nobody awaited, with the revision whose code caused it. */
export type StrayFailureListener = (charged: Attribution, error: unknown) => boolean

const listeners = new Set<StrayFailureListener>()
let restore: (() => void) | null = null

/**
 * Keeps a rejected promise or a throwing timer of a function from ending the host: the failure goes
 * to the listener that knows the revision (it returns true). Everything else, the host's own
 * failures above all, takes the way it would take without Needle, default exit included.
 *
 * A listener for the two process events would not do: with one present Node.js no longer exits for
 * the host's own failures, and it could not keep the host's listeners, which often exit, from
 * hearing of a function's. So the events are filtered where they are emitted.
 *
 * @returns what stops it; idempotent
 */
export function guardAgainstCrashes(listener: StrayFailureListener): () => void {
  listeners.add(listener)
  restore ??= filterProcessEvents()
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    restore?.()
    restore = null
  }
}

function filterProcessEvents(): () => void {
  const emit: unknown = Reflect.get(process, 'emit')
  if (typeof emit !== 'function') return () => {}
  const filtered = function (this: NodeJS.Process, event: string, ...rest: unknown[]): boolean {
    if (event === 'unhandledRejection' || event === 'uncaughtException') {
      const call = currentCall()
      if (call !== undefined && isTaken(call, rest[0])) return true
    }
    return Reflect.apply(emit, this, [event, ...rest])
  }
  Reflect.set(process, 'emit', filtered)
  return () => {
    // Someone who wrapped it later must not lose their wrapper; without listeners ours does nothing.
    if (Reflect.get(process, 'emit') === filtered) Reflect.set(process, 'emit', emit)
  }
}

function isTaken(charged: Attribution, error: unknown): boolean {
  for (const listener of listeners) {
    if (listener(charged, error)) return true
  }
  return false
}
