import type { Attribution } from './attribution.ts'

/** A class that extends it gives its private fields to the object it is handed. */
// oxlint-disable-next-line typescript/no-extraneous-class -- a base class is all it is
class Given {
  constructor(promise: object) {
    // oxlint-disable-next-line no-constructor-return -- what it is for
    return promise
  }
}

/**
 * A private field instead of an entry in a `WeakMap`: as invisible, but a third of its time, and nothing
 * for the garbage collector to look through.
 */
class Mark extends Given {
  #call: Attribution

  constructor(promise: object, call: Attribution) {
    super(promise)
    this.#call = call
  }

  static set(promise: object, call: Attribution): void {
    if (#call in promise) promise.#call = call
    else if (Object.isExtensible(promise)) void new Mark(promise, call)
  }

  static get(promise: unknown): Attribution | undefined {
    return typeof promise === 'object' && promise !== null && #call in promise
      ? promise.#call
      : undefined
  }
}

/** Notes that a promise of the host's was given to a call: should nobody handle it, the call is charged. */
export function noteGiven(promise: Promise<unknown>, call: Attribution): void {
  Mark.set(promise, call)
}

/** The call a promise was given to last, or whose it was when it failed. */
export function givenTo(promise: unknown): Attribution | undefined {
  return Mark.get(promise)
}
