import * as vm from 'node:vm'
import { isNativeError } from 'node:util/types'
import { RuntimeError } from '../../errors.ts'
import { type Attribution, attributionOfLoad, runAttributed } from '../attribution.ts'
import type { Logger } from '../authoring/function-context.ts'
import { withoutWatchdog } from '../heartbeat.ts'
import { inspectFailure } from '../inspect-failure.ts'
import { offerPositions } from '../loaded-positions.ts'
import { lookAtMicrotasks } from '../microtask-scope.ts'
import type { SourcePositions } from '../source-positions.ts'
import { beginRest } from '../turn-rest.ts'
import { toAllowedBuiltin } from './allowed-builtins.ts'
import { artifactGlobalName, builtinAccessorKey } from './artifact-format.ts'
import type { CompiledArtifact } from './compile-artifact.ts'
import type { Timers } from './create-timers.ts'
import { installGlobals } from './globals.ts'
import { createRealm, type Realm } from './realm.ts'
import { containerStreamWeb } from './web-streams.ts'
import { onCondemnation, type OnCondemned } from './condemnation.ts'

/**
 * Runs host code that enters the container and ends it, and what it called, after `timeoutMs`. To
 * be called from a microtask. `starved`: it was ended, but had the processor for less than 30 ms: the
 * machine held it up, or it waited without computing.
 */
export type LimitedRun = (run: () => void, timeoutMs: number) => 'returned' | 'ended' | 'starved'

/** An artifact, evaluated once in a global object of its own. */
export interface Container {
  readonly realm: Realm
  /** What the artifact exports as `default`. */
  readonly defaultExport: unknown
  /** A global variable of the container, as bundled libraries leave them. */
  global(name: string): unknown
  readonly runLimited: LimitedRun
  /** As `CompiledArtifact.code`. */
  compiled(): Uint8Array | null
  /** Its timers; see `Timers`. */
  readonly timers: Pick<Timers, 'hold' | 'resume' | 'observe'>
  /** Ends its timers. Idempotent. */
  dispose(): void
}

export interface ContainerOptions {
  /** `<group>/<name>@<12 hex digits>`; names the script in stack traces. */
  readonly revision: string
  readonly log: Logger
  /** For the synchronous evaluation of the top level. Default 2000. */
  readonly loadTimeoutMs?: number | undefined
  readonly onCondemned?: OnCondemned | undefined
  /** Of what its top level starts. Default: nobody counts its time. */
  readonly attribution?: Attribution | undefined
  /** For what fails of it outside of any call. Default: positions in the artifact. */
  readonly positions?: SourcePositions | undefined
}

/** A global object of its own with all that code finds in it, before any has run. */
export interface Scope {
  readonly context: vm.Context
  readonly realm: Realm
  readonly timers: Omit<Timers, 'globals'>
  readonly runLimited: LimitedRun
  /** What the artifact has exported. */
  readonly exported: () => unknown
}

const limitedRunKey = 'needle.limitedRun'
const limitedRunScript = new vm.Script(`globalThis[Symbol.for('${limitedRunKey}')]()`, {
  filename: 'needle:limited-run',
})

/**
 * The documented globals and nothing else.
 *
 * `DONT_CONTEXTIFY`: globals at full speed (a sandbox object makes them 4–8 × slower,
 * nodejs/node#31658).
 */
export function createScope({ revision, log }: Pick<ContainerOptions, 'revision' | 'log'>): Scope {
  const context = vm.createContext(vm.constants.DONT_CONTEXTIFY, { name: revision })
  const realm = createRealm(context)
  const timers = installGlobals(context, log)
  Object.defineProperty(context, Symbol.for(builtinAccessorKey), { value: requireBuiltin })
  const exported = receiveExports(context)
  return { context, realm, timers, runLimited: createLimitedRun(context), exported }
}

/**
 * Evaluates an artifact, as `artifact-format.ts` says, in a scope of its own. It contains accidents; it
 * is no security boundary: code can reach the host through any function it is handed.
 *
 * @param scope Nothing has run in it. Default: one that is made now, which takes about as long as all
 *   else.
 * @throws RuntimeError `FUNCTION_THROWS_AT_LOAD`, `FUNCTION_LOAD_TIMEOUT` or
 * `FUNCTION_NO_DEFAULT_EXPORT`
 */
export function createContainer(
  compiled: CompiledArtifact,
  options: ContainerOptions,
  scope: Scope = createScope(options),
): Container {
  const { revision, loadTimeoutMs = 2000, onCondemned, positions } = options
  const { attribution = attributionOfLoad(revision) } = options
  const { context, realm, timers, runLimited, exported } = scope
  const forget = onCondemnation(revision, (requestId) => {
    timers.onEnded()
    onCondemned?.(requestId)
  })
  const withdraw = positions === undefined ? null : offerPositions(revision, positions)
  const dispose = (): void => {
    timers.dispose()
    forget()
    withdraw?.()
  }
  const global = (name: string): unknown => Reflect.get(context, name)
  const cpuMsBefore = threadCpuMs()
  try {
    runAttributed(attribution, () => withoutWatchdog(() => compiled.runIn(context, loadTimeoutMs)))
    const defaultExport = defaultOf(exported(), revision)
    return {
      realm,
      defaultExport,
      global,
      runLimited,
      compiled: () => compiled.code(),
      timers,
      dispose,
    }
  } catch (error) {
    const cpuMs = threadCpuMs() - cpuMsBefore
    // It may be ended in a getter of what it threw: until then it has to be told of that.
    const refusal = toLoadError(error, { revision, timeoutMs: loadTimeoutMs, cpuMs })
    dispose()
    lookAtMicrotasks()
    throw refusal
  }
}

/**
 * Where the script leaves what it exports; returns what reads it. By a setter, which a top level that
 * freezes its `globalThis` does not disarm: a plain variable would keep what it was, undefined.
 */
function receiveExports(context: vm.Context): () => unknown {
  let exported: unknown
  Object.defineProperty(context, artifactGlobalName, {
    get: () => exported,
    set: (value: unknown) => {
      exported = value
    },
    enumerable: true,
  })
  return () => exported
}

/** What computes for less holds nobody up. */
const starvedMs = 30
/** Of the time it had to load: most top levels take a few milliseconds, so less is the machine's fault. */
const starvedShare = 0.25

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

/** By the timeout of a script: it needs one that runs in the context, not the code it limits. */
function createLimitedRun(context: vm.Context): LimitedRun {
  let current: (() => void) | null = null
  // Once, before anything can have frozen the global object.
  Object.defineProperty(context, Symbol.for(limitedRunKey), { value: () => current?.() })
  return (run, timeoutMs) => {
    const before = threadCpuMs()
    current = run
    try {
      limitedRunScript.runInContext(context, { timeout: timeoutMs })
      return 'returned'
    } catch (error) {
      if (!isTimeout(error)) throw error
      beginRest()
      lookAtMicrotasks()
      return threadCpuMs() - before < starvedMs ? 'starved' : 'ended'
    } finally {
      current = null
    }
  }
}

function defaultOf(exports: unknown, revision: string): unknown {
  if (typeof exports === 'object' && exports !== null && 'default' in exports) {
    return exports.default
  }
  throw new RuntimeError(
    'FUNCTION_NO_DEFAULT_EXPORT',
    `${revision} has no default export. Write "export default defineFunction({ … })" or export a function as default.`,
    { details: { revision } },
  )
}

function toLoadError(
  error: unknown,
  {
    revision,
    timeoutMs,
    cpuMs,
  }: { readonly revision: string; readonly timeoutMs: number; readonly cpuMs: number },
): RuntimeError {
  if (error instanceof RuntimeError) return error
  const details = { revision }
  if (isTimeout(error)) {
    const starved = cpuMs < timeoutMs * starvedShare
    const why = starved
      ? `It got ${Math.round(cpuMs)} ms of processor time in them: give the process more, or raise watchdog.limitMs. It is tried again.`
      : 'Move work out of the top level into the handler.'
    return new RuntimeError(
      'FUNCTION_LOAD_TIMEOUT',
      `${revision} did not finish loading within ${timeoutMs} ms. ${why}`,
      { cause: error, details: { ...details, starved } },
    )
  }
  return new RuntimeError(
    'FUNCTION_THROWS_AT_LOAD',
    `${revision} threw while loading: ${describe(error)}`,
    { cause: error, details },
  )
}

function isTimeout(error: unknown): boolean {
  return isNativeError(error) && 'code' in error && error.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT'
}

/** Errors of another realm fail `instanceof`. */
function describe(error: unknown): string {
  try {
    return isNativeError(error) ? `${error.name}: ${error.message}` : String(error)
  } catch {
    return inspectFailure(error)
  }
}

function requireBuiltin(specifier: string): unknown {
  const builtin = toAllowedBuiltin(specifier)
  if (builtin === null) {
    throw new Error(`"${specifier}" is not among the Node.js built-ins a function may import`)
  }
  return builtin === 'node:stream/web' ? containerStreamWeb() : process.getBuiltinModule(builtin)
}
