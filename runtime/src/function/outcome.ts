import type { CallErrorCode, Outcome } from './call.ts'

/** One object per revision serves all its plain answers, so that a call allocates none. */
export type OutcomeHeaders = Outcome['headers']

/** The answer to a call the runtime itself refuses or gives up: `{ "error": { "code", "message", … } }`. */
export interface RuntimeAnswer {
  readonly status: number
  readonly code: CallErrorCode
  readonly message: string
  /** Further keys of the error object. */
  readonly extra?: Readonly<Record<string, unknown>>
  /** Default false: the caller, or the load, is to blame. */
  readonly functionFault?: boolean
}

/** An answer of the runtime's own as an outcome; `headers` are those of every JSON answer. */
export function toOutcome(answer: RuntimeAnswer, headers: OutcomeHeaders): Outcome {
  const { status, code, message, extra, functionFault = false } = answer
  return {
    status,
    headers,
    body: JSON.stringify({ error: { code, message, ...extra } }),
    errorCode: code,
    functionFault,
  }
}
