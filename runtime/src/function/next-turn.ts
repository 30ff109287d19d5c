/**
 * Resolves in the next turn of the event loop, in microtasks of its own: to end a runaway function
 * there takes along what waits for this, and nothing else.
 */
export function nextTurn(): Promise<null> {
  return new Promise((resolve) => {
    setImmediate(() => resolve(null))
  })
}
