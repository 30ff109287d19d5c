import type { StandardSchemaV1 } from '@standard-schema/spec'
import { AsyncLocalStorage } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { isPromise } from 'node:util/types'
import { type Attribution, chargeMicrotask, chargeTime } from './attribution.ts'
import { isHttpError } from './authoring/http-error.ts'
import type { Call, CallErrorCode, Outcome } from './call.ts'
import { CallAborted } from './call-aborted.ts'
import {
  busyOutcome,
  clientClosed,
  httpErrorOutcome,
  inputInvalid,
  replaced,
  runaway,
  starved,
  timedOut,
} from './call-answers.ts'
import { CallContext } from './call-context.ts'
import { type CallSpan, startCallSpan } from './call-span.ts'
import { wholeBodyOf } from './container/whole-response.ts'
import type { OnAwaited, StepsCall } from './container/realm.ts'
import type { DeadlineEntry } from './deadline-wheel.ts'
import { encodeResult, NotJson } from './encode-result.ts'
import { toIssueDetails } from './issue-details.ts'
import { timeOf } from './limited-call.ts'
import type { LoadedFunction } from './loaded-function.ts'
import { type OutcomeHeaders, type RuntimeAnswer, toOutcome } from './outcome.ts'
import { assertStatus, mayHaveBody, mergeHeaders, responseHeaders } from './outcome-parts.ts'
import { readInput } from './read-input.ts'
import { microtask } from './microtask.ts'
import { nextTurn } from './next-turn.ts'
import type { Probation } from './probation.ts'
import { type OpeningBody, openStreamBody } from './stream-body.ts'
import { isResting, keepBack, restOver } from './turn-rest.ts'

/** Status and headers of a `reply`. */
interface ReplyHead {
  readonly status: number
  readonly headers: OutcomeHeaders
}

const plainHead = { status: 200, headers: null }

/** An answer whose head has left. */
interface OpenStream {
  readonly head: Omit<Outcome, 'body'>
  fail(error: Error): void
  /** Takes why the function did not end it well. */
  over(fault: CallErrorCode | null): void
}

type Phase = 'queued' | 'running' | 'streaming' | 'ended'

/**
 * One call, from its first microtask to the end of its answer. Written with callbacks where
 * `await` would cost a promise on every call: this is the hot path. Its members are private to the type
 * checker only; no function is ever handed one.
 *
 * Fields are declared and assigned in the constructor: V8 compiles a class without field
 * initialisers or a superclass into the code that makes one, and others by a way 0.2 µs slower.
 */
export class ActiveCall implements DeadlineEntry, StepsCall<ReplyHead | null> {
  declare readonly call: Call
  declare readonly shared: LoadedFunction
  /** Where `ActiveCalls` finds it among those that run; negative before and after. */
  declare place: number
  declare expiresAtMs: number
  declare previous: DeadlineEntry | null
  declare next: DeadlineEntry | null
  declare slot: number
  declare private readonly timeoutMs: number
  declare private readonly onOutcome: (outcome: Outcome) => void
  declare private readonly attribution: Attribution
  declare private phase: Phase
  /** In the wheel's time. */
  declare private startedAtMs: number
  declare private abort: AbortController | null
  declare private aborted: CallAborted | null
  declare private stream: OpenStream | null
  /** Of a body whose first chunk has not come. */
  declare private abandon: OpeningBody['abandon'] | null
  declare private onClientGone: (() => void) | null
  /** Enters the async context the call came from; null unless it had to wait for its turn. */
  declare private resume: ((enter: () => void) => void) | null
  declare private readonly span: CallSpan | null
  declare private readonly probation: Probation | null
  declare private isEntered: boolean
  /** It waits for a turn of its own. */
  declare private isKeptBack: boolean
  declare awaited: unknown
  declare onAwaited: OnAwaited | null

  /** `onOutcome` is called once, with what the client gets. */
  constructor(call: Call, shared: LoadedFunction, onOutcome: (outcome: Outcome) => void) {
    this.call = call
    this.shared = shared
    this.place = -1
    this.expiresAtMs = 0
    this.previous = null
    this.next = null
    this.slot = -1
    this.timeoutMs = timeOf(call, shared.settings)
    this.onOutcome = onOutcome
    const { id: revision, metrics } = shared
    this.attribution = {
      revision,
      requestId: call.requestId,
      active: true,
      metrics,
      timedFor: metrics.begin(),
    }
    this.phase = 'running'
    this.startedAtMs = 0
    this.abort = null
    this.aborted = null
    this.stream = null
    this.abandon = null
    this.onClientGone = null
    this.resume = null
    this.span = startCallSpan(shared.span, call)
    this.probation = shared.probation
    this.isEntered = false
    this.isKeptBack = false
    this.awaited = null
    this.onAwaited = null
  }

  /**
   * Arms the deadline and enters the function in a microtask: a function entered straight from a
   * socket's or a timer's callback cannot be stopped by the watchdog without harm to the host.
   */
  start(): void {
    const { wheel } = this.shared
    wheel.arm(this, this.timeoutMs)
    this.startedAtMs = this.expiresAtMs - this.timeoutMs
    if (this.shared.active.add(this)) return this.schedule()
    this.phase = 'queued'
    this.resume = AsyncLocalStorage.snapshot()
    this.followClient()
  }

  /** The queue has come to it: another call has ended, in whose async context this is called. */
  onTurn(): void {
    this.phase = 'running'
    this.resume?.(() => this.schedule())
  }

  private schedule(): void {
    this.probation?.begin()
    if (isResting()) this.waitForTurn()
    else this.enterSoon()
  }

  private waitForTurn(): void {
    this.isKeptBack = true
    keepBack(this.attribution, () => {
      this.isKeptBack = false
      if (this.shared.isRunaway) this.stop()
      else if (this.phase === 'running') this.enterSoon()
    })
  }

  private enterSoon(): void {
    void microtask.then(() => {
      chargeMicrotask(this.attribution)
      return this.span === null ? this.run() : this.span.run(() => this.run())
    })
  }

  get hasEnded(): boolean {
    return this.phase === 'ended'
  }

  /** Ends it because its revision serves no more. */
  stop(): void {
    this.giveUp('FUNCTION_STOPPED', this.toOutcome(replaced))
  }

  /** Ends it after the watchdog has ended what it ran. */
  stopRunaway(): void {
    this.giveUp('FUNCTION_RUNAWAY', this.toOutcome(runaway))
  }

  onDeadline(): void {
    if (this.isKeptBack) return this.starve()
    // Its turn may have come a moment ago, by a deadline of the same sweep: it was not entered either.
    if (this.resume !== null && !this.isEntered) {
      return this.giveUp('FUNCTION_TIMEOUT', busyOutcome(this.shared))
    }
    this.giveUp('FUNCTION_TIMEOUT', this.toOutcome(timedOut(this.timeoutMs)))
  }

  get signal(): AbortSignal {
    if (this.abort !== null) return this.abort.signal
    const abort = new AbortController()
    this.abort = abort
    if (this.phase === 'ended') abort.abort(this.aborted ?? new CallAborted('CALL_ENDED'))
    else this.followClient()
    return abort.signal
  }

  get deadline(): number {
    const { clock, wheel } = this.shared
    if (this.expiresAtMs === 0) return clock.now() + this.timeoutMs
    return Math.round(clock.now() + this.expiresAtMs - wheel.nowMs())
  }

  /**
   * An execution was ended, and every microtask that waited with it. A promise of the function's is
   * asked again, as it may have settled. A call that waited to be entered ends: entered now it would be
   * outside the async context of its request. What the function itself waits for, nobody can know.
   */
  onMicrotasksLost(): void {
    if (this.phase !== 'running' || this.isKeptBack) return
    if (!this.isEntered) return this.starve()
    // Other thenables may do their work again.
    if (!isPromise(this.awaited)) return
    // To ask may enter code of the function, as a getter of the promise.
    void microtask.then(() => {
      chargeMicrotask(this.attribution)
      return this.askAgain()
    })
  }

  private askAgain(): void {
    const { awaited, onAwaited } = this
    if (this.phase !== 'running' || onAwaited === null || !isPromise(awaited)) return
    try {
      this.shared.steps.followAgain(awaited, onAwaited, this)
    } catch (error) {
      this.onThrown(error)
    }
  }

  private run(): void {
    this.isEntered = true
    if (this.probation === null) this.read()
    else this.runGuarded(this.probation)
  }

  private runGuarded(probation: Probation): void {
    if (probation.enter(this.call.requestId, () => this.read()) === 'starved') this.starve()
  }

  private starve(): void {
    this.shared.log.warn('A call was ended because the machine left it no time to run', {
      requestId: this.call.requestId,
    })
    this.giveUp('FUNCTION_TIMEOUT', { ...this.toOutcome(starved), isStarved: true })
  }

  private read(): void {
    const { shared } = this
    try {
      const read = readInput(this.call, shared.realm, shared.settings.maxBodyBytes)
      if (read.refused !== null) return this.refuse(read.refused)
      if (shared.checksInput) shared.steps.check(read.input, this)
      else this.enter(read.input)
    } catch (error) {
      this.onThrown(error)
    }
  }

  refuseInput(issues: readonly StandardSchemaV1.Issue[]): void {
    this.refuse(inputInvalid(toIssueDetails(issues)))
  }

  enter(input: unknown): void {
    if (this.phase !== 'running') return
    try {
      this.shared.steps.run(input, new CallContext(this), this)
    } catch (error) {
      this.onThrown(error)
    }
  }

  onResult(result: unknown): void {
    if (this.phase !== 'running') return
    chargeTime(this.attribution)
    try {
      this.shared.steps.receive(result, this)
    } catch (error) {
      this.onThrown(error)
    }
  }

  receiveReply(status: number, body: unknown, headers: Readonly<Record<string, string>>): void {
    const merged = mergeHeaders(this.shared.bareHeaders, headers)
    this.check(body, { status: assertStatus(status), headers: merged })
  }

  receiveValue(value: unknown): void {
    this.check(value, null)
  }

  receiveResponse(value: unknown): void {
    if (value instanceof Response) this.sendResponse(value)
    else this.check(value, null)
  }

  private check(value: unknown, head: ReplyHead | null): void {
    const { checksOutput, steps } = this.shared
    if (!checksOutput || (head !== null && head.status >= 300)) this.send(value, head, null)
    else steps.checkOutput(value, head, this)
  }

  sendChecked(value: unknown, head: ReplyHead | null, json: string | null): void {
    this.send(value, head, json)
  }

  failOutput(issues: readonly StandardSchemaV1.Issue[]): void {
    this.fail(
      'OUTPUT_INVALID',
      'The result does not match the output the function promises',
      toIssueDetails(issues),
    )
  }

  private send(value: unknown, head: ReplyHead | null, json: string | null): void {
    if (this.phase !== 'running') return
    const { status, headers } = head ?? plainHead
    const encoded = encodeResult(this.shared, { value, json, status, headers })
    if (encoded instanceof NotJson) this.fail('OUTPUT_INVALID', notJsonMessage, encoded.problem)
    else this.settle(encoded)
  }

  private sendResponse(response: Response): void {
    const whole = wholeBodyOf(response)
    const headers = responseHeaders(this.shared.bareHeaders, response, {
      isText: typeof whole === 'string',
    })
    const { body } = response
    const outcome = {
      status: assertStatus(response.status),
      headers,
      errorCode: null,
      functionFault: response.status >= 500,
    }
    if (body === null || !mayHaveBody(response.status)) {
      return this.settle({ ...outcome, body: null })
    }
    if (whole !== null) {
      return this.settle({ ...outcome, body: whole.length === 0 ? null : whole })
    }
    const { opened, abandon } = openStreamBody(body, {
      onProgress: () => {
        if (this.phase === 'streaming') {
          this.shared.wheel.arm(this, this.shared.streamIdleMs)
        }
      },
      onEnd: () => this.end(),
      onError: (error) => {
        if (this.phase === 'ended') return
        this.log('A streaming answer failed after it had begun', { thrown: error })
        this.end('FUNCTION_FAILED')
      },
      onCancel: () => this.leave(),
    })
    this.abandon = abandon
    opened.then(
      (streamed) => {
        this.abandon = null
        if (streamed.kind === 'whole') return this.settle({ ...outcome, body: streamed.bytes })
        if (this.phase !== 'running') {
          return streamed.fail(this.aborted ?? new CallAborted('FUNCTION_TIMEOUT'))
        }
        this.phase = 'streaming'
        const ended = Promise.withResolvers<CallErrorCode | null>()
        this.stream = { head: outcome, fail: streamed.fail, over: ended.resolve }
        this.followClient()
        this.shared.wheel.arm(this, this.shared.streamIdleMs)
        this.answer({ ...outcome, body: streamed.stream, ended: ended.promise })
        return undefined
      },
      (error: unknown) => this.onThrown(error),
    )
  }

  onThrown(thrown: unknown): void {
    if (this.phase !== 'running') return
    try {
      // A proxy throws where it likes.
      if (!isHttpError(thrown)) return this.fail('FUNCTION_FAILED', failedMessage, thrown)
      this.settle(httpErrorOutcome(this.shared, thrown))
    } catch (cause) {
      this.fail('FUNCTION_FAILED', failedMessage, cause)
    }
  }

  /** A 500 whose cause goes to the log only; the id joins the two. */
  private fail(code: 'FUNCTION_FAILED' | 'OUTPUT_INVALID', message: string, thrown: unknown): void {
    if (this.phase !== 'running') return
    const id = randomUUID()
    this.log(message, { code, id, thrown })
    this.settle(
      toOutcome(
        { status: 500, code, message, extra: { id }, functionFault: true },
        this.shared.jsonHeaders,
      ),
    )
  }

  private log(message: string, { thrown, ...fields }: Record<string, unknown>): void {
    const { log } = this.shared
    const { requestId } = this.call
    // A stream is read in the async context of who reads it, where this span is not the active one.
    const traced = this.span === null ? null : { traceId: this.span.traceId }
    const write = (error: string): void =>
      log.error(message, { ...fields, requestId, ...traced, error })
    this.shared.describeFailure(thrown).then(write, (problem: unknown) => write(String(problem)))
  }

  private refuse(answer: RuntimeAnswer): void {
    if (this.phase === 'running') this.settle(toOutcome(answer, this.shared.jsonHeaders))
  }

  /** Frees the slot and answers, whatever the function still does. */
  private giveUp(reason: Exclude<CallAborted['code'], 'CALL_ENDED'>, outcome: Outcome): void {
    if (this.phase === 'ended') return
    const aborted = new CallAborted(reason)
    const isUnanswered = this.phase !== 'streaming'
    this.aborted = aborted
    this.stream?.fail(aborted)
    void this.abandon?.(aborted)
    this.end(outcome.functionFault ? reason : null)
    if (isUnanswered) this.answer(outcome)
    const abort = this.abort
    // The listeners are the function's: entered from a microtask like everything of it, and not while
    // answers of this turn have yet to leave.
    if (abort !== null) {
      void this.abortLater(abort, aborted)
    }
  }

  private async abortLater(abort: AbortController, reason: CallAborted): Promise<void> {
    await nextTurn()
    while (isResting()) await restOver(this.attribution)
    chargeMicrotask(this.attribution)
    abort.abort(reason)
  }

  /** The host's signal is only asked for when something can make use of it. */
  private followClient(): void {
    const client = this.call.signal
    if (client === undefined || this.phase === 'ended') return
    if (client.aborted) return this.leave()
    if (this.onClientGone !== null) return
    this.onClientGone = () => this.leave()
    client.addEventListener('abort', this.onClientGone, { once: true })
  }

  /** The client is gone. */
  private leave(): void {
    this.giveUp('CLIENT_CLOSED', this.toOutcome(clientClosed))
  }

  private toOutcome(answer: RuntimeAnswer): Outcome {
    return toOutcome(answer, this.shared.jsonHeaders)
  }

  private settle(outcome: Outcome): void {
    if (this.phase !== 'running') return
    this.end()
    this.answer(outcome)
  }

  private answer(outcome: Outcome): void {
    const { metrics, wheel } = this.shared
    metrics.record(outcome, wheel.nowMs() - this.startedAtMs)
    this.span?.onOutcome(outcome)
    // A stream's ends with the stream.
    if (this.phase === 'ended') this.span?.end()
    this.onOutcome(outcome)
  }

  /** `lateFault`: why the function did not end a streaming answer well. */
  private end(lateFault: CallErrorCode | null = null): void {
    if (this.phase === 'ended') return
    const { stream } = this
    const isQueued = this.phase === 'queued'
    this.phase = 'ended'
    this.attribution.active = false
    if (stream !== null) this.endStream(stream, lateFault)
    this.shared.wheel.disarm(this)
    if (this.onClientGone !== null) {
      this.call.signal?.removeEventListener('abort', this.onClientGone)
    }
    this.shared.active.remove(this)
    // One whose turn never came has not begun.
    if (!isQueued) this.probation?.end()
  }

  private endStream(stream: OpenStream, fault: CallErrorCode | null): void {
    this.stream = null
    if (fault !== null && !stream.head.functionFault) {
      this.shared.metrics.recordLateFault(fault)
      this.span?.onOutcome({ ...stream.head, errorCode: fault, functionFault: true })
    }
    this.span?.end()
    stream.over(fault)
  }
}

const failedMessage = 'The function failed; quote the id to its owners'
const notJsonMessage = 'The result of the function cannot be sent as JSON'
