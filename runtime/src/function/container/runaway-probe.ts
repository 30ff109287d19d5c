import { executionAsyncId } from 'node:async_hooks'
import { currentCall } from '../attribution.ts'

/** Key on the container's global object: the `RunawayProbe` of what runs there. */
export const runawayProbeKey = 'needle.runawayProbe'

/** What the watchdog learns of the code it has paused. */
export interface ProbedCode {
  /** Null when the code belongs to no call, or its call cannot be told. */
  readonly requestId: string | null
  /**
   * Whether the process survives the end of this execution: the code runs in a microtask and no
   * `async_hooks` hook is enabled. Otherwise Node.js aborts ("async hook stack has become corrupted").
   */
  readonly isStoppable: boolean
}

/** Older ones abort even without hooks. */
export const canStop = Number.parseInt(process.versions.node, 10) >= 24

/** With `condemns`, code that is stoppable is about to be stopped: nothing may enter it any more. */
export type RunawayProbe = (condemns: boolean) => ProbedCode

/**
 * Leaves a probe on a container's global object. It is called through the inspector, in the middle
 * of whatever the main thread does, so it creates no promise, logs nothing and answers plain data.
 */
export function installRunawayProbe(
  target: object,
  onCondemned: (requestId: string | null) => void,
): void {
  const probe: RunawayProbe = (condemns) => {
    const requestId = currentCall()?.requestId ?? null
    // In a microtask the id is that of no resource; with hooks, or under a callback, it is.
    const isStoppable = canStop && executionAsyncId() === 0
    if (condemns && isStoppable) onCondemned(requestId)
    return { requestId, isStoppable }
  }
  Object.defineProperty(target, Symbol.for(runawayProbeKey), { value: probe })
}
