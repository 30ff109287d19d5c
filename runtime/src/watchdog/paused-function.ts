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
   * so and if that is safe, and lets it go on. Null: no function is on the stack, or the main
   * thread did not pause in time.
   */
  look(isRunaway: (revision: string) => boolean): Promise<PausedFunction | null>
}

/** For a first look; doubled after each that came to nothing, for machines that are that busy. */
const lookTimeoutMs = 250
const maxLookTimeoutMs = 4000
/** How far a pause in the host's own code is followed into what it calls. */
const maxSteps = 5

export function debugMainThread(): MainThreadDebugger {
  let session = connect()
  let timeoutMs = lookTimeoutMs

  return {
    look: async (isRunaway) => {
      const current = session
      const overdue = Promise.withResolvers<null>()
      const timer = setTimeout(() => overdue.resolve(null), timeoutMs)
      const looking = lookOnce(current, isRunaway)
      // A session that is given up rejects what waits for it.
      const found = await Promise.race([looking.catch(() => undefined), overdue.promise])
      clearTimeout(timer)
      if (found !== null && found !== undefined) {
        timeoutMs = lookTimeoutMs
        return found.paused
      }
      timeoutMs = Math.min(2 * timeoutMs, maxLookTimeoutMs)
      current.disconnect()
      session = connect()
      return null
    },
  }
}

function connect(): Session {
  const session = new Session()
  session.connectToMainThread()
  // The first time takes ten times as long: not in the middle of a stall.
  session.post('Debugger.enable').catch(ignoreLost)
  session.post('Debugger.disable').catch(ignoreLost)
  return session
}

async function lookOnce(
  session: Session,
  isRunaway: (revision: string) => boolean,
): Promise<{ readonly paused: PausedFunction | null }> {
  const revisions = new Map<Runtime.ScriptId, string>()
  let paused = Promise.withResolvers<readonly Debugger.CallFrame[]>()
  const onParsed = ({ params }: { params: Debugger.ScriptParsedEventDataType }): void => {
    const revision = revisionIdOf(params.url)
    if (revision !== null) revisions.set(params.scriptId, revision)
  }
  session.on('Debugger.scriptParsed', onParsed)
  session.on('Debugger.paused', ({ params }) => paused.resolve(params.callFrames))
  try {
    const enabling = session.post('Debugger.enable')
    const pausing = session.post('Debugger.pause')
    await Promise.all([enabling, pausing])
    const ofFunction = (frames: readonly Debugger.CallFrame[]): Debugger.CallFrame | undefined =>
      frames.find(({ location }) => revisions.has(location.scriptId))
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
    // Answered only once the main thread runs again.
    if (isStopped) session.post('Runtime.terminateExecution').catch(ignoreLost)
    return { paused: { ...code, revision, isStopped } }
  } finally {
    session.off('Debugger.scriptParsed', onParsed)
    session.removeAllListeners('Debugger.paused')
    session.post('Debugger.resume').catch(ignoreLost)
    await session.post('Debugger.disable').catch(ignoreLost)
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
