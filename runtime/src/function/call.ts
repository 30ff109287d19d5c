import type { Caller } from './authoring/function-context.ts'

/** One request on its way to a function, as a host hands it over: nothing parsed, nothing copied. */
export interface Call {
  readonly requestId: string
  readonly method: string
  /** Path and query as the client sent them. */
  readonly url: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Decoded path parameters from the route table. */
  readonly params: Readonly<Record<string, string | undefined>>
  /** The raw query without `?`; empty when there is none. */
  readonly query: string
  /** Null when the request has no body. A string is UTF-8 text, parsed inside the container. */
  readonly body: string | Uint8Array | null
  readonly caller: Caller
  /** Address of the client as the host sees it; keeps callers on their side of a rollout. */
  readonly clientAddress?: string | undefined
  /** It had to wait for its function to be loaded. Default false. */
  readonly isCold?: boolean | undefined
  /** Milliseconds, less than the settings of the function say; absent: those. */
  readonly timeoutMs?: number | undefined
  /** Aborts when the client goes away. Read only once a function or a stream can make use of it: may be a lazy getter. */
  readonly signal?: AbortSignal | undefined
}

/** Stable codes of the error answers the runtime itself gives; functions add their own with `HttpError`. */
export type CallErrorCode =
  | 'BODY_NOT_JSON'
  | 'BODY_TOO_LARGE'
  | 'BODY_UNSUPPORTED_TYPE'
  | 'INPUT_INVALID'
  | 'INPUT_REDEFINED'
  | 'ROUTE_NOT_FOUND'
  | 'METHOD_NOT_ALLOWED'
  | 'OUTPUT_INVALID'
  | 'FUNCTION_FAILED'
  | 'FUNCTION_TIMEOUT'
  | 'FUNCTION_RUNAWAY'
  | 'FUNCTION_QUARANTINED'
  | 'FUNCTION_BUSY'
  | 'FUNCTION_LOADING'
  | 'FUNCTION_SHED'
  | 'FUNCTION_STOPPED'
  | 'CLIENT_CLOSED'
  | 'NOT_READY'

/** What goes back to the client. A call always ends in one; it never rejects. */
export interface Outcome {
  readonly status: number
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[]>>
  readonly body: string | Uint8Array | ReadableStream<Uint8Array> | null
  /** Why it is not a success: a `CallErrorCode` or the code of the function's `HttpError`. */
  readonly errorCode: string | null
  /** Whether the function (not its caller) is to blame: counts against a canary. */
  readonly functionFault: boolean
  /** The machine left the call no time to run: nothing else speaks against making it again. Default false. */
  readonly isStarved?: boolean | undefined
  /**
   * Of a streaming answer: resolves at its end, to why the function failed to end it well; to null
   * when it did, or when the client went away. Never rejects.
   */
  readonly ended?: Promise<CallErrorCode | null> | undefined
}
