import type { RunningCode } from './running-code.ts'

/**
 * Memory in which the watchdog's thread asks the busy main thread what it is doing, and the main
 * thread waits, inside the answer, for what is to become of it. Each look has a number, so that one
 * that was given up, and reached the main thread late, ends there.
 */
export interface LookChannel {
  readonly state: Int32Array<SharedArrayBuffer>
  readonly answer: Uint8Array<SharedArrayBuffer>
}

/** Of a look, in this order but for `given up`: the asker may say so at `asked`, the asked until it is decided. */
const phase = {
  givenUp: 0,
  asked: 1,
  answering: 2,
  answered: 3,
  deciding: 4,
  spared: 5,
  /** The order to end it is given, or about to be. */
  ending: 6,
  condemned: 7,
}
const phases = 8

const at = { look: 0, answerBytes: 1 }
const maxAnswerBytes = 4096

/** Of a main thread that is stuck in native code, no answer comes. */
const answerTimeoutMs = 120
/** The thread that asked may be starved, or gone. */
const decisionTimeoutMs = 500

export function createLookChannel(): LookChannel {
  const state = new Int32Array(new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT))
  return { state, answer: new Uint8Array(new SharedArrayBuffer(maxAnswerBytes)) }
}

/** On the main thread, called through the inspector in the middle of what it does. */
export function answerLook(
  { state, answer }: LookChannel,
  look: number,
  options: {
    readonly find: () => RunningCode | null
    /** Its execution ends as soon as this has returned. */
    readonly condemn: (code: RunningCode) => void
  },
): void {
  const moves = movesOf(state, look)
  if (!moves.move(phase.asked, phase.answering)) return
  const code = options.find()
  const bytes = encodeAnswer(code)
  answer.set(bytes)
  Atomics.store(state, at.answerBytes, bytes.length)
  moves.move(phase.answering, phase.answered)
  moves.await(phase.answered, decisionTimeoutMs)
  if (moves.move(phase.answered, phase.givenUp)) return
  moves.await(phase.deciding, decisionTimeoutMs)
  // Or what is ended after all would be nobody's, and its caller wait for its deadline.
  if (moves.move(phase.deciding, phase.givenUp)) return
  moves.await(phase.ending, decisionTimeoutMs)
  if (code !== null && !moves.is(phase.spared)) options.condemn(code)
}

/**
 * On the watchdog's thread, which it blocks.
 *
 * @param ask has the main thread call `answerLook` for this look as soon as it can
 * @param decide whether to end the execution; then, and only then, `end` is called
 * @returns `lost`: no answer came in time, or the decision too late, which says nothing
 */
export function askLook(
  { state, answer }: LookChannel,
  look: number,
  options: {
    readonly ask: () => void
    readonly decide: (code: RunningCode) => boolean
    readonly end: () => void
  },
): { readonly code: RunningCode; readonly isEnded: boolean } | null | 'lost' {
  const moves = movesOf(state, look)
  moves.begin()
  options.ask()
  moves.await(phase.asked, answerTimeoutMs)
  if (moves.move(phase.asked, phase.givenUp)) return 'lost'
  moves.await(phase.answering, answerTimeoutMs)
  if (!moves.move(phase.answered, phase.deciding)) return 'lost'
  const code = readAnswer(answer, Atomics.load(state, at.answerBytes))
  if (code === null || !options.decide(code)) {
    moves.move(phase.deciding, phase.spared)
    return code === null ? null : { code, isEnded: false }
  }
  if (!moves.move(phase.deciding, phase.ending)) return 'lost'
  // Before the main thread goes on: it finds it queued, and ends exactly what it was doing.
  options.end()
  moves.move(phase.ending, phase.condemned)
  return { code, isEnded: true }
}

function movesOf(state: Int32Array, look: number) {
  const value = (of: number): number => (look * phases + of) | 0
  return {
    begin: () => void Atomics.store(state, at.look, value(phase.asked)),
    /** Whether it was at `from`; whoever waits for that is woken. */
    move: (from: number, to: number): boolean => {
      const isMoved =
        Atomics.compareExchange(state, at.look, value(from), value(to)) === value(from)
      if (isMoved) Atomics.notify(state, at.look)
      return isMoved
    },
    /** Blocks while it is at `from`. */
    await: (from: number, timeoutMs: number): void => {
      Atomics.wait(state, at.look, value(from), timeoutMs)
    },
    is: (of: number): boolean => Atomics.load(state, at.look) === value(of),
  }
}

/** A request id may come from a client, and be of any length: it must not keep its call from being ended. */
function encodeAnswer(code: RunningCode | null): Uint8Array {
  if (code === null) return new Uint8Array()
  const bytes = encodeJson(code)
  return bytes.length > maxAnswerBytes ? encodeJson({ ...code, requestId: null }) : bytes
}

function encodeJson(code: RunningCode): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(code))
}

function readAnswer(answer: Uint8Array, length: number): RunningCode | null {
  if (length === 0) return null
  // A decoder takes no shared memory.
  const value: unknown = JSON.parse(new TextDecoder().decode(answer.slice(0, length)))
  return isRunningCode(value) ? value : null
}

function isRunningCode(value: unknown): value is RunningCode {
  return typeof value === 'object' && value !== null && 'isStoppable' in value
}
