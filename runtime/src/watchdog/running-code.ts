import { getCallSites } from 'node:util'
import { type Attribution, currentCall } from '../function/attribution.ts'
import { revisionIdOf } from '../function/container/artifact-format.ts'
import { fitCheckUrl } from '../function/container/fit-check.ts'
import { isPackagesUrl } from '../function/container/packages-script.ts'
import { realmUrl } from '../function/container/realm.ts'
import { isInMicrotask } from '../function/microtask-scope.ts'

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
  const isStoppable = canStop && isInMicrotask()
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
  return isOfCall(interrupted) ? (call?.revision ?? null) : null
}

/**
 * Whether a stack on which no script of a function is to be seen is busy with the call whose async
 * context it is in:
 *
 * - A step of the call is under way, and above it is only what the runtime does for it, such as to write
 *   JSON, or a native.
 * - The innermost code has no script of its own, as what `new Function`, `eval` or WebAssembly make,
 *   and was entered by itself: after an `await` of its own, or as a callback. With code of the host's
 *   below it, it is the host's, such as a serialiser of a service.
 * - No code is there at all, between two microtasks of an endless chain.
 */
function isOfCall(interrupted: readonly string[]): boolean {
  const step = interrupted.indexOf(realmUrl)
  const above = step < 0 ? interrupted : interrupted.slice(0, step)
  const innermost = above.find((script) => !script.startsWith('node:')) ?? nameless
  return (step >= 0 || hasNoName(innermost)) && above.every((script) => isNotOfHost(script))
}

const nameless = ''

function hasNoName(script: string): boolean {
  return script === nameless || script.startsWith('wasm:')
}

function isNotOfHost(script: string): boolean {
  return hasNoName(script) || /^n(?:ode|eedle):/.test(script) || script.startsWith(ownDirectory)
}

/** Of the runtime, whether it runs from source or built. */
const ownDirectory = new URL('../', import.meta.url).href
