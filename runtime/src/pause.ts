import { setImmediate } from 'node:timers/promises'

/**
 * Longest stretch of our own work between two turns of the event loop, but for its last piece: V8 may
 * compile in the middle of that, which takes it milliseconds where there are a thousand contexts.
 */
const sliceMs = 1

/** There is one event loop: what works on at the same time shares its turns. */
let turnBegan = 0
let nextTurn: Promise<void> | null = null

/**
 * To be awaited between two small pieces of work: lets requests through when it is time to. Resolves
 * in a microtask.
 */
export async function pause(): Promise<void> {
  while (performance.now() - turnBegan >= sliceMs) await (nextTurn ??= startTurn())
}

async function startTurn(): Promise<void> {
  await setImmediate()
  turnBegan = performance.now()
  nextTurn = null
}
