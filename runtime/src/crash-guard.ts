import { type Attribution, currentCall } from './function/attribution.ts'

/** A runtime, to the failures nobody awaited of the revisions it has loaded. */
export interface StrayFailureListener {
  /** Whether the revision is one of its own. */
  knows(revision: string): boolean
  take(charged: Attribution, error: unknown): void
}

const listeners = new Set<StrayFailureListener>()
let restore: (() => void) | null = null

/**
 * Keeps a rejected promise or a throwing timer of a function from ending the host: the failure goes
 * to the listener that knows its revision, or to the first: it may be of one that did not load, or
 * was forgotten since. Everything else, the host's own
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
      const taker = call === undefined ? undefined : findTaker(call)
      if (call !== undefined && taker !== undefined) {
        taker.take(call, rest[0])
        return true
      }
    }
    return Reflect.apply(emit, this, [event, ...rest])
  }
  Reflect.set(process, 'emit', filtered)
  return () => {
    // Someone who wrapped it later must not lose their wrapper; without listeners ours does nothing.
    if (Reflect.get(process, 'emit') === filtered) Reflect.set(process, 'emit', emit)
  }
}

function findTaker({ revision }: Attribution): StrayFailureListener | undefined {
  const all = [...listeners]
  return all.find((listener) => listener.knows(revision)) ?? all[0]
}
