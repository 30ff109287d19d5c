const brand = Symbol.for('needle.http-error')

/**
 * Thrown by a handler to answer with an error the caller may see:
 * `{ "error": { "code", "message", "details"? } }` with this status.
 */
export class HttpError extends Error {
  override readonly name = 'HttpError'
  readonly status: number
  /** Upper snake case, stable: callers switch on it. */
  readonly code: string
  readonly details: unknown
  readonly headers: Readonly<Record<string, string>>

  /** @throws RangeError when `status` is not in 400–599. */
  constructor(
    status: number,
    code: string,
    message: string,
    options: {
      readonly details?: unknown
      readonly headers?: Readonly<Record<string, string>>
      readonly cause?: unknown
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    if (!Number.isInteger(status) || status < 400 || status > 599) {
      throw new RangeError(`HttpError status must be an integer from 400 to 599, got ${status}`)
    }
    this.status = status
    this.code = code
    this.details = options.details
    this.headers = options.headers ?? {}
    Object.defineProperty(this, brand, { value: true })
  }
}

/** Whether `value` is an `HttpError`, of whatever realm or copy of this package. */
export function isHttpError(value: unknown): value is HttpError {
  return typeof value === 'object' && value !== null && brand in value
}
