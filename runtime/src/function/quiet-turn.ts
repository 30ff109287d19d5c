/** A turn of the event loop that takes less had little else to do. */
const quietMs = 1
/** Where the loop is never quiet, each wait ends after this long: a change still gets on. */
const patienceMs = 250

/**
 * Waits for the event loop to have caught up with its requests, 250 ms at most. To be awaited before
 * code of a function is entered that nobody's request needs: done turn by turn, the loads of a change
 * of 1,000 functions took two thirds of a busy process, and its requests piled up.
 *
 * Code of functions is entered from a microtask, where alone the watchdog can stop it. V8 then drops
 * all microtasks that wait: here none but the one that waits for this, whereas the end of a promise
 * others wait for, too, would take them along, and one in the middle of theirs what wires their
 * promises together.
 */
export async function quietTurn(): Promise<void> {
  const startedAt = performance.now()
  for (let before = startedAt; ;) {
    await ownTurn()
    const now = performance.now()
    if (now - before < quietMs || now - startedAt >= patienceMs) return
    before = now
  }
}

/** The next turn of the event loop, in a microtask of its own: what `quietTurn` says of code that is entered. */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
