import { formatIssue, isPipelineError } from './errors.ts'
import { isRuntimeRefusal } from './runtime-refusal.ts'

/** An error that ended a command, for people and for machines. */
export function describeError(
  error: unknown,
  withStack: boolean,
): { readonly text: string; readonly json: unknown } {
  const stack = withStack && error instanceof Error ? `\n${error.stack ?? ''}` : ''
  if (isPipelineError(error)) {
    const { code, message, details, issues } = error
    const lines = issues.map((issue) => `  ${formatIssue(issue)}`)
    return {
      text: [`${code}: ${message}`, ...lines].join('\n') + stack,
      json: { error: { code, message, details, issues } },
    }
  }
  if (isRuntimeRefusal(error)) {
    const { code, message, details } = error
    return {
      text: `${code}: ${message}${hintFor(code)}${stack}`,
      json: { error: { code, message, details } },
    }
  }
  const message = error instanceof Error ? error.message : String(error)
  const hint = withStack ? '' : '\nThis is a defect of needle. NEEDLE_DEBUG=1 shows where.'
  return {
    text: `INTERNAL: ${message}${stack}${hint}`,
    json: { error: { code: 'INTERNAL', message } },
  }
}

/** What a refusal of the runtime's parts, which know no commands, means to somebody at a prompt. */
function hintFor(code: string): string {
  if (code.startsWith('STORE_')) {
    return '\nRun it again once the store works: what was begun is completed then.'
  }
  return /^(DOCUMENT|SIGN|ROOT|MANIFEST|OBJECT|RELEASE)/.test(code)
    ? '\nneedle doctor says what can be done about it.'
    : ''
}
