import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Caller } from '../function/authoring/function-context.ts'
import type { Call } from '../function/call.ts'
import type { RouteMatch } from '../routing/route-table.ts'

/** What a Fastify request does not know by itself. */
export interface FastifyCallParts {
  readonly match: Extract<RouteMatch, { status: 'found' }>
  readonly body: Call['body']
  readonly caller: Caller
}

/** A Fastify request as a call. Copies nothing: a getter costs only the functions that read it. */
export class FastifyCall implements Call {
  // Declared only: see `ActiveCall`.
  declare private readonly request: FastifyRequest
  declare private readonly reply: FastifyReply
  declare private abort: AbortController | null
  declare readonly params: Call['params']
  declare readonly query: string
  declare readonly body: Call['body']
  declare readonly caller: Caller
  declare readonly timeoutMs: undefined

  constructor(request: FastifyRequest, reply: FastifyReply, parts: FastifyCallParts) {
    this.request = request
    this.reply = reply
    this.abort = null
    this.params = parts.match.params
    this.query = parts.match.query
    this.body = parts.body
    this.caller = parts.caller
    this.timeoutMs = undefined
  }

  get requestId(): string {
    return this.request.id
  }

  get method(): string {
    return this.request.method
  }

  get url(): string {
    return this.request.originalUrl
  }

  get headers(): Call['headers'] {
    return this.request.headers
  }

  get clientAddress(): string {
    return this.request.ip
  }

  /** Listens to the socket from the first time somebody asks, so that other calls pay nothing. */
  get signal(): AbortSignal {
    if (this.abort !== null) return this.abort.signal
    const abort = new AbortController()
    this.abort = abort
    const { raw } = this.reply
    if (raw.destroyed) abort.abort()
    else {
      raw.once('close', () => {
        if (!raw.writableFinished) abort.abort()
      })
    }
    return abort.signal
  }
}
