import type { CallErrorCode } from './call.ts'

const reasons = {
  FUNCTION_TIMEOUT: { name: 'TimeoutError', message: 'The deadline of the call has passed' },
  FUNCTION_RUNAWAY: { name: 'AbortError', message: 'The function held up the process' },
  CLIENT_CLOSED: { name: 'AbortError', message: 'The client went away' },
  CALL_ENDED: { name: 'AbortError', message: 'The call had ended before its signal was read' },
  FUNCTION_STOPPED: { name: 'AbortError', message: 'The revision was replaced and disposed of' },
} as const satisfies Partial<
  Record<CallErrorCode | 'CALL_ENDED', { name: string; message: string }>
>

/** The reason with which the signal of a call aborts; `code` says which of them it was. */
export class CallAborted extends Error {
  override readonly name: string
  readonly code: keyof typeof reasons

  constructor(code: keyof typeof reasons) {
    super(reasons[code].message)
    this.name = reasons[code].name
    this.code = code
  }
}
