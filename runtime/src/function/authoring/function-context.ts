import type { ServiceName, Services } from './services.ts'

/** Structured log lines, attributed to function, revision and request. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** The HTTP request as it arrived; read-only. */
export interface FunctionRequest {
  readonly id: string
  readonly method: string
  /** Path and query as the client sent them. */
  readonly url: string
  /** Names in lower case; repeated headers joined as Node.js does. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly cookies: Readonly<Record<string, string>>
}

/** What the host's `context` option returned for this request: the signed-in user, the tenant… Declared by interface merging like `Services`. */
export interface Caller {}

/** Second argument of every handler. */
export interface FunctionContext<Uses extends ServiceName = never> {
  /** Only the services named in `uses`. */
  readonly services: Pick<Services, Uses>
  /** Aborts at the deadline, or when the client goes away. Pass it on. */
  readonly signal: AbortSignal
  readonly log: Logger
  readonly request: FunctionRequest
  readonly caller: Caller
  /** `<group>/<name>@<12 hex digits of the release digest>`; also the `x-needle-revision` header. */
  readonly revision: string
  /** Epoch milliseconds at which the caller gets 504. */
  readonly deadline: number
}
