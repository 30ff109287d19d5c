/**
 * Why the pipeline refused something or could not do it. Stable: workflows and tests switch on
 * these. Cause and remedy of each are in the package's README, and a test keeps the two equal.
 */
export type PipelineErrorCode =
  // how it was called
  | 'USAGE_INVALID'
  | 'REPOSITORY_MISSING'
  | 'CONFIG_MISSING'
  | 'CONFIG_INVALID'
  | 'ENVIRONMENT_UNKNOWN'
  // names and layout of functions
  | 'FUNCTION_NAME_INVALID'
  | 'FUNCTION_EXISTS'
  | 'FUNCTION_UNKNOWN'
  | 'FUNCTION_NO_ENTRY'
  | 'FUNCTION_NO_TEST'
  | 'FUNCTION_NO_README'
  // what the bundler refuses
  | 'FUNCTION_SYNTAX'
  | 'FUNCTION_NO_DEFAULT_EXPORT'
  | 'FUNCTION_TOP_LEVEL_AWAIT'
  | 'FUNCTION_COMPUTED_IMPORT'
  | 'FUNCTION_REQUIRE'
  | 'FUNCTION_IMPORT_META'
  | 'IMPORT_UNRESOLVED'
  | 'IMPORT_BUILTIN'
  | 'IMPORT_OUTSIDE'
  | 'IMPORT_NOT_NAMESPACE'
  | 'BUNDLE_TOO_LARGE'
  // what evaluating the bundle finds
  | 'FUNCTION_THROWS_AT_LOAD'
  | 'FUNCTION_LOAD_TIMEOUT'
  | 'FUNCTION_BAD_DEFINITION'
  | 'FUNCTION_SCHEMA_INEXPRESSIBLE'
  // the functions of a repository as a whole
  | 'SERVICE_UNKNOWN'
  | 'SERVICE_NOT_OFFERED'
  | 'ROUTE_CONFLICT'
  // examples of calls
  | 'PROBE_REFUSED'
  // check
  | 'CHECK_FAILED'
  | 'LINT_FAILED'
  | 'TYPES_FAILED'
  | 'TESTS_FAILED'
  // build directory and plan file
  | 'BUILD_DIRECTORY_MISSING'
  | 'BUILD_DIRECTORY_INVALID'
  | 'BUILD_DIRECTORY_ALTERED'
  | 'PLAN_INVALID'
  // Git
  | 'COMMIT_OLDER'
  | 'COMMIT_UNKNOWN'
  | 'CLONE_SHALLOW'
  | 'WORK_TREE_DIRTY'
  // what may be done to an environment
  | 'ENVIRONMENT_EMPTY'
  | 'FUNCTION_HELD'
  | 'PAIR_QUARANTINED'
  | 'NO_ROLLOUT'
  | 'NOTHING_TO_APPROVE'
  | 'ROLLBACK_TARGET'
  | 'NOTHING_TO_CLEAR'
  | 'TRACE_SUBJECT'
  | 'WEBHOOK_SECRET'
  | 'PUBLISH_LOST'
  | 'STORE_IGNORES_CONDITIONS'
  // keys and trust
  | 'KEY_MISSING'
  | 'KEY_INVALID'
  | 'KEY_WRONG_ROLE'
  | 'KEY_IN_USE'
  | 'KEY_FILE_EXISTS'
  | 'TRUST_MISSING'
  | 'TRUST_EXISTS'
  | 'TOOL_FAILED'

export interface PipelineErrorOptions {
  readonly cause?: unknown
  /** Machine-readable context: the key, function, file or version concerned. */
  readonly details?: Readonly<Record<string, unknown>>
  /** All problems behind this error, when it sums up several. */
  readonly issues?: readonly Issue[]
}

/** Where in the repository a problem is. */
export interface Place {
  /** Relative to the repository root, with `/`. */
  readonly file: string
  /** From 1. */
  readonly line?: number | undefined
  /** From 1. */
  readonly column?: number | undefined
}

/** One problem in the author's files; several are reported together. */
export interface Issue {
  readonly code: PipelineErrorCode
  /** `<group>/<name>`; null when it is about the repository as a whole. */
  readonly function: string | null
  /** What is wrong and what to do about it, in one or two sentences. */
  readonly message: string
  readonly place: Place | null
}

/** The one error class of this package. `message` says what happened and what to do next. */
export class PipelineError extends Error {
  override readonly name = 'PipelineError'
  readonly code: PipelineErrorCode
  readonly details: Readonly<Record<string, unknown>>
  readonly issues: readonly Issue[]

  constructor(code: PipelineErrorCode, message: string, options: PipelineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = Object.freeze({ ...options.details })
    this.issues = options.issues ?? []
  }
}

/** Whether `error` is a `PipelineError`, optionally one with the given code. */
export function isPipelineError(error: unknown, code?: PipelineErrorCode): error is PipelineError {
  return error instanceof PipelineError && (code === undefined || error.code === code)
}

/** `file:line:column`, as editors and terminals make it clickable. */
export function formatPlace({ file, line, column }: Place): string {
  if (line === undefined) return file
  return column === undefined ? `${file}:${line}` : `${file}:${line}:${column}`
}

/** One line for people: place, code, message. */
export function formatIssue(issue: Issue): string {
  const where = issue.place === null ? (issue.function ?? 'functions') : formatPlace(issue.place)
  return `${where}  ${issue.code}  ${issue.message}`
}
