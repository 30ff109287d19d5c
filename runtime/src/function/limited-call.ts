import type { Settings } from '../manifest/settings.ts'
import type { Call } from './call.ts'

/** Milliseconds a call has. */
export function timeOf({ timeoutMs }: Call, settings: Pick<Settings, 'timeoutMs'>): number {
  return timeoutMs ?? settings.timeoutMs
}

/**
 * A call that has less time than the settings of its function would give it, or has waited for it.
 * Copies nothing.
 */
export class LimitedCall implements Call {
  readonly timeoutMs: number
  readonly isCold: boolean
  private readonly call: Call

  constructor(call: Call, timeoutMs: number, isCold = call.isCold === true) {
    this.call = call
    this.timeoutMs = timeoutMs
    this.isCold = isCold
  }

  get requestId(): string {
    return this.call.requestId
  }

  get method(): string {
    return this.call.method
  }

  get url(): string {
    return this.call.url
  }

  get headers(): Call['headers'] {
    return this.call.headers
  }

  get params(): Call['params'] {
    return this.call.params
  }

  get query(): string {
    return this.call.query
  }

  get body(): Call['body'] {
    return this.call.body
  }

  get caller(): Call['caller'] {
    return this.call.caller
  }

  get clientAddress(): string | undefined {
    return this.call.clientAddress
  }

  get signal(): AbortSignal | undefined {
    return this.call.signal
  }
}
