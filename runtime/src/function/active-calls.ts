import type { ActiveCall } from './active-call.ts'

/**
 * The calls of one revision that have begun and not ended. Each knows its place in the list, so
 * that joining and leaving cost no hashing on the hot path.
 */
export class ActiveCalls {
  readonly #calls: ActiveCall[] = []
  readonly #waiting = new Set<() => void>()

  get size(): number {
    return this.#calls.length
  }

  add(call: ActiveCall): void {
    call.place = this.#calls.push(call) - 1
  }

  /** Once per call that was added. */
  remove(call: ActiveCall): void {
    const last = this.#calls.pop()
    if (last !== undefined && last !== call) {
      this.#calls[call.place] = last
      last.place = call.place
    }
    if (this.#calls.length === 0 && this.#waiting.size > 0) this.#wake()
  }

  /** Ends them all. */
  stop(): void {
    // A copy: each leaves the list as it ends.
    for (const call of this.#calls.slice()) call.stop()
  }

  /** Calls `resume` once, when none is left; returns what takes the wish back. */
  onIdle(resume: () => void): () => void {
    this.#waiting.add(resume)
    return () => this.#waiting.delete(resume)
  }

  #wake(): void {
    for (const resume of this.#waiting) resume()
    this.#waiting.clear()
  }
}
