import { executionAsyncId } from 'node:async_hooks'
import { getCallSites } from 'node:util'
import { type Attribution, currentCall } from '../function/attribution.ts'
import { revisionIdOf } from '../function/container/artifact-format.ts'
import { fitCheckUrl } from '../function/container/fit-check.ts'
import { isPackagesUrl } from '../function/container/packages-script.ts'

/** Code of a function that the main thread is busy with. */
export interface RunningCode {
  /** Id of the revision. */
  readonly revision: string
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

/** What the inspector evaluates has no name: the frames below it are what it interrupted. */
const evaluated = ''

/** The most `getCallSites` gives, the innermost first. */
const maxFrames = 200

/**
 * The innermost function among what a look has interrupted; null when that is the host's own code.
 * To be called from the look's script, in the middle of whatever the main thread does: it creates no
 * promise and logs nothing.
 */
export function runningCode(): RunningCode | null {
  const scripts = getCallSites(maxFrames).map(({ scriptName }) => scriptName)
  const interrupted = scripts.slice(scripts.indexOf(evaluated) + 1)
  const call = currentCall()
  const revision = findRevision(interrupted, call)
  if (revision === null) return null
  // In a microtask the id is that of no resource; with hooks, or under a callback, it is.
  const isStoppable = canStop && executionAsyncId() === 0
  return { revision, requestId: call?.requestId ?? null, isStoppable }
}

function findRevision(
  interrupted: readonly string[],
  call: Attribution | undefined,
): string | null {
  for (const script of interrupted) {
    // Made of the function's own patterns, for the call that is checked.
    if (script === fitCheckUrl) return call?.revision ?? null
    const revision = revisionIdOf(script)
    if (revision !== null) return revision
  }
  // Packages that were entered without a frame of the function's own, which would have named it.
  if (interrupted.some(isPackagesUrl)) return call?.revision ?? null
  // Between two microtasks of an endless chain nobody's code is there, but the chain's async context.
  const isBetween = interrupted.every((script) => script.startsWith('node:'))
  return isBetween ? (call?.revision ?? null) : null
}
