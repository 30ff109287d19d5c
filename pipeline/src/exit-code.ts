import { isPipelineError, type PipelineErrorCode } from './errors.ts'
import { isRuntimeRefusal } from './runtime-refusal.ts'

/** What the `needle` process exits with. */
export const exitCode = {
  ok: 0,
  /** The work was looked at and refused: tests, lint, a quarantine, an older commit. */
  refused: 1,
  /** Called or configured wrongly; nothing was looked at. */
  usage: 2,
  /** The store or another service could not be used; the same call may succeed later. */
  unavailable: 3,
  /** All well so far, but not over: not every instance has followed yet, a rollout takes longer. */
  unsettled: 4,
  /** A rollout that has too little to be judged by when the time is over. */
  inconclusive: 5,
  /** A defect of Needle itself. */
  internal: 70,
  /** Ctrl-C: 128 + SIGINT. */
  interrupted: 130,
} as const

export type ExitCode = (typeof exitCode)[keyof typeof exitCode]

const usage: ReadonlySet<PipelineErrorCode> = new Set([
  'USAGE_INVALID',
  'REPOSITORY_MISSING',
  'CONFIG_MISSING',
  'CONFIG_INVALID',
  'ENVIRONMENT_UNKNOWN',
  'FUNCTION_NAME_INVALID',
  'BUILD_DIRECTORY_MISSING',
  'KEY_MISSING',
  'KEY_INVALID',
  'TRUST_MISSING',
  'WEBHOOK_SECRET',
])

/** The exit code that an error which ended a command stands for. */
export function exitCodeOf(error: unknown): ExitCode {
  if (isPipelineError(error)) return usage.has(error.code) ? exitCode.usage : exitCode.refused
  if (isRuntimeRefusal(error)) {
    return error.code.startsWith('STORE_') ? exitCode.unavailable : exitCode.refused
  }
  return exitCode.internal
}
