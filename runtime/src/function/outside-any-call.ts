import { AsyncLocalStorage } from 'node:async_hooks'

/** Runs `run` in the async context of the module's own load: what a call happens to start must not keep the call's for good. */
export const outsideAnyCall = AsyncLocalStorage.snapshot()
