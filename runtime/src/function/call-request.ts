import type { FunctionRequest } from './authoring/function-context.ts'
import type { Call } from './call.ts'
import { parseCookies } from './parse-cookies.ts'

/** The request as a function may see it: read-only, headers and cookies taken apart when first read. */
export class CallRequest implements FunctionRequest {
  readonly #call: Call
  #headers: FunctionRequest['headers'] | null = null
  #cookies: FunctionRequest['cookies'] | null = null

  constructor(call: Call) {
    this.#call = call
    Object.freeze(this)
  }

  get id(): string {
    return this.#call.requestId
  }

  get method(): string {
    return this.#call.method
  }

  get url(): string {
    return this.#call.url
  }

  get headers(): Readonly<Record<string, string | undefined>> {
    return (this.#headers ??= joinHeaders(this.#call.headers))
  }

  get cookies(): Readonly<Record<string, string>> {
    return (this.#cookies ??= parseCookies(String(this.#call.headers['cookie'] ?? '')))
  }
}

function joinHeaders(received: Call['headers']): FunctionRequest['headers'] {
  const headers: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(received)) {
    headers[name] = Array.isArray(value) ? value.join(', ') : value
  }
  return Object.freeze(headers)
}
