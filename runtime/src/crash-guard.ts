import { type Attribution, currentCall } from './function/attribution.ts'
import { givenTo } from './function/given-promises.ts'

/** A runtime, to the failures nobody awaited of the revisions it has loaded, and to warnings of Node.js. */
export interface StrayFailureListener {
  /** Whether the revision is one of its own. */
  knows(revision: string): boolean
  take(charged: Attribution, error: unknown): void
  /** What Node.js would write to standard error, such as of a console's timer that does not exist. */
  warn(charged: Attribution, warning: unknown): void
}

const listeners = new Set<StrayFailureListener>()
/** What was told of when it failed is no news when it is handled after all. */
const taken = new WeakSet<object>()
let restore: (() => void) | null = null

/**
 * Keeps a rejected promise or a throwing timer of a function from ending the host: the failure goes
 * to the listener that knows its revision, or to the first: it may be of one that did not load, or
 * was forgotten since. So does one of a promise that a service gave to a function, and rejects outside
 * of its call, and what Node.js warns of while a function runs. Everything else, the host's own
 * failures and warnings above all, takes the way it would take without Needle, default exit included.
 *
 * Listeners for the process events would not do: with one present Node.js no longer exits for
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
    if (isCharged(event, rest)) return true
    return Reflect.apply(emit, this, [event, ...rest])
  }
  Reflect.set(process, 'emit', filtered)
  return () => {
    // Someone who wrapped it later must not lose their wrapper; without listeners ours does nothing.
    if (Reflect.get(process, 'emit') === filtered) Reflect.set(process, 'emit', emit)
  }
}

function isCharged(event: string, [subject, promise]: readonly unknown[]): boolean {
  switch (event) {
    case 'uncaughtException':
      return tell(currentCall(), (listener, call) => listener.take(call, subject))
    case 'unhandledRejection': {
      const call = currentCall() ?? givenTo(promise)
      const isTaken = tell(call, (listener, charged) => listener.take(charged, subject))
      if (isTaken && isObject(promise)) taken.add(promise)
      return isTaken
    }
    case 'rejectionHandled':
      return isObject(subject) && taken.has(subject)
    case 'warning':
      return tell(currentCall(), (listener, call) => listener.warn(call, subject))
    default:
      return false
  }
}

function tell(
  call: Attribution | undefined,
  how: (listener: StrayFailureListener, call: Attribution) => void,
): boolean {
  const taker = call === undefined ? undefined : findTaker(call)
  if (call === undefined || taker === undefined) return false
  how(taker, call)
  return true
}

function findTaker({ revision }: Attribution): StrayFailureListener | undefined {
  const all = [...listeners]
  return all.find((listener) => listener.knows(revision)) ?? all[0]
}

/** Promises of a container are of another realm. */
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
