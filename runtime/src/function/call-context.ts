import type {
  Caller,
  FunctionContext,
  FunctionRequest,
  Logger,
} from './authoring/function-context.ts'
import type { Call } from './call.ts'
import { CallRequest } from './call-request.ts'

/** What the context of one call is read from. */
export interface ContextSource {
  readonly call: Call
  /** Created when first read. */
  readonly signal: AbortSignal
  /** Epoch milliseconds. */
  readonly deadline: number
  readonly shared: {
    readonly id: string
    readonly authorLog: Logger
    readonly services: Readonly<Record<string, unknown>>
  }
}

/**
 * The second argument of a handler. Everything is a getter of the prototype, so that a call pays
 * only for what its function reads; a spread therefore copies nothing.
 */
export class CallContext implements Omit<FunctionContext, 'services'> {
  readonly #source: ContextSource
  #request: FunctionRequest | null = null

  constructor(source: ContextSource) {
    this.#source = source
  }

  get services(): Readonly<Record<string, unknown>> {
    return this.#source.shared.services
  }

  get signal(): AbortSignal {
    return this.#source.signal
  }

  get log(): Logger {
    return this.#source.shared.authorLog
  }

  get request(): FunctionRequest {
    return (this.#request ??= new CallRequest(this.#source.call))
  }

  get caller(): Caller {
    return this.#source.call.caller
  }

  get revision(): string {
    return this.#source.shared.id
  }

  get deadline(): number {
    return this.#source.deadline
  }
}

// Nothing of it lies in the object itself: freezing the prototype protects every call at no cost.
Object.freeze(CallContext.prototype)
