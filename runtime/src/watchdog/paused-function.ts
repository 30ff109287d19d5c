import type { Debugger, Runtime } from 'node:inspector'
import { Session } from 'node:inspector/promises'
import { revisionIdOf } from '../function/container/artifact-format.ts'
import { type ProbedCode, runawayProbeKey } from '../function/container/runaway-probe.ts'

/** A function found on the stack of the main thread. */
export interface PausedFunction extends ProbedCode {
  readonly revision: string
  readonly isStopped: boolean
}

/** Looks at what the main thread is busy with, through the inspector. Lives in another thread. */
export interface MainThreadDebugger {
  /**
   * Pauses the main thread, asks `isRunaway` about the revision on its stack, ends the execution if
   * so and if that is safe, and lets it go on. Null: no function is on the stack. `lost`: the main
   * thread did not pause in time, which says nothing. A suspect makes the next look cheap, at the
   * main thread's expense until `rest`.
   */
  look(isRunaway: (revision: string) => boolean): Promise<PausedFunction | null | 'lost'>
  /** There is nothing to look at any more. */
  rest(): void
}

/** Several times what a look takes, some get lost; doubled after each that came to nothing, for busy machines. */
const lookTimeoutMs = 120
const maxLookTimeoutMs = 4000
/** How far a pause in the host's own code is followed into what it calls. */
const maxSteps = 5

export function debugMainThread(): MainThreadDebugger {
  let connection = connect()
  let timeoutMs = lookTimeoutMs

  return {
    look: async (isRunaway) => {
      const overdue = Promise.withResolvers<null>()
      const timer = setTimeout(() => overdue.resolve(null), timeoutMs)
      const looking = lookOnce(connection, isRunaway)
      // A session that is given up rejects what waits for it.
      const found = await Promise.race([looking.catch(() => null), overdue.promise])
      clearTimeout(timer)
      if (found !== null) {
        timeoutMs = lookTimeoutMs
        return found.paused
      }
      timeoutMs = Math.min(2 * timeoutMs, maxLookTimeoutMs)
      connection.session.disconnect()
      connection = connect()
      return 'lost'
    },
    rest: () => disable(connection),
  }
}

interface Connection {
  readonly session: Session
  /** Of the scripts that are loaded, while enabled. */
  readonly revisions: Map<Runtime.ScriptId, string>
  isEnabled: boolean
}

function connect(): Connection {
  const session = new Session()
  session.connectToMainThread()
  const connection: Connection = { session, revisions: new Map(), isEnabled: false }
  session.on('Debugger.scriptParsed', ({ params }) => {
    const revision = revisionIdOf(params.url)
    if (revision !== null) connection.revisions.set(params.scriptId, revision)
  })
  return connection
}

function disable(connection: Connection): void {
  if (!connection.isEnabled) return
  connection.isEnabled = false
  connection.session.post('Debugger.disable').catch(ignoreLost)
}

async function lookOnce(
  connection: Connection,
  isRunaway: (revision: string) => boolean,
): Promise<{ readonly paused: PausedFunction | null }> {
  const { session, revisions } = connection
  let paused = Promise.withResolvers<readonly Debugger.CallFrame[]>()
  session.on('Debugger.paused', ({ params }) => paused.resolve(params.callFrames))
  const ofFunction = (frames: readonly Debugger.CallFrame[]): Debugger.CallFrame | undefined =>
    frames.find(({ location }) => revisions.has(location.scriptId))
  let isSuspect = false
  try {
    if (!connection.isEnabled) {
      connection.isEnabled = true
      revisions.clear()
      await Promise.all([session.post('Debugger.enable'), session.post('Debugger.pause')])
    } else await session.post('Debugger.pause')
    let frame = ofFunction(await paused.promise)
    // Between two microtasks of an endless chain only the host's frame that runs them is there.
    for (let step = 0; step < maxSteps && frame === undefined; step += 1) {
      paused = Promise.withResolvers()
      await session.post('Debugger.stepInto')
      frame = ofFunction(await paused.promise)
    }
    const revision = frame === undefined ? undefined : revisions.get(frame.location.scriptId)
    if (frame === undefined || revision === undefined) return { paused: null }
    const wantsStop = isRunaway(revision)
    const code = await probe(session, frame, wantsStop)
    const isStopped = wantsStop && code.isStoppable
    isSuspect = !wantsStop
    // Answered only once the main thread runs again.
    if (isStopped) session.post('Runtime.terminateExecution').catch(ignoreLost)
    return { paused: { ...code, revision, isStopped } }
  } finally {
    session.removeAllListeners('Debugger.paused')
    session.post('Debugger.resume').catch(ignoreLost)
    if (!isSuspect) disable(connection)
  }
}

/** Through the global object at the end of the scope chain: nothing the function declares can hide it. */
async function probe(
  session: Session,
  { scopeChain }: Debugger.CallFrame,
  condemns: boolean,
): Promise<ProbedCode> {
  const objectId = scopeChain.at(-1)?.object.objectId
  if (objectId === undefined) return unknownCode
  const { result } = await session.post('Runtime.callFunctionOn', {
    objectId,
    functionDeclaration: `function (condemns) {
      return this[Symbol.for(${JSON.stringify(runawayProbeKey)})]?.(condemns)
    }`,
    arguments: [{ value: condemns }],
    returnByValue: true,
    silent: true,
  })
  const value: unknown = result.value
  return isProbedCode(value) ? value : unknownCode
}

const unknownCode: ProbedCode = { requestId: null, isStoppable: false }

function isProbedCode(value: unknown): value is ProbedCode {
  return typeof value === 'object' && value !== null && 'isStoppable' in value
}

/** What was sent to a main thread that went its own way meanwhile. */
function ignoreLost(): void {}
