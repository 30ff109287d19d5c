import { executionAsyncId } from 'node:async_hooks'
import { microtask } from './microtask.ts'

/** What `executionAsyncId` has said in microtasks that are in no scope of their own. */
const known = new Set([0])
let hasHooks = false

/** Whether `async_hooks` are enabled, as of the last look: each microtask then has an id of its own. */
export function hasAsyncHooks(): boolean {
  return hasHooks
}

/** Whether the running code is in a microtask, and in no scope within it; false with `async_hooks` enabled. */
export function isInMicrotask(): boolean {
  return !hasHooks && known.has(executionAsyncId())
}

/**
 * To be called every now and then, and from the microtask in which an execution was ended: inside a scope,
 * such as that of `AsyncResource.runInAsyncScope`, that is one Node.js never leaves, and microtasks
 * have its id from then on instead of 0.
 */
export function lookAtMicrotasks(): void {
  void microtask
    .then(() => executionAsyncId())
    .then((id) => {
      hasHooks = executionAsyncId() !== id
      return hasHooks || known.add(id)
    })
}
