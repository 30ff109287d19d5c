/**
 * Why the runtime refused something or could not do it. Stable: alarms, dashboards and tests
 * switch on these. Cause and remedy of each are in the package's README, and a test keeps the two
 * lists equal.
 */
export const runtimeErrorCodes = [
  // documents
  'DOCUMENT_TOO_LARGE',
  'DOCUMENT_MALFORMED',
  'DOCUMENT_WRONG_KIND',
  'DOCUMENT_UNSIGNED',
  'SIGNER_UNKNOWN',
  'SIGNER_WRONG_ROLE',
  'SIGNATURE_INVALID',
  // trust root
  'ROOT_NOT_SUCCESSOR',
  'ROOT_MISSING',
  // manifest
  'MANIFEST_MISSING',
  'MANIFEST_WRONG_ENVIRONMENT',
  'MANIFEST_OLDER',
  'MANIFEST_FORKED',
  'MANIFEST_EXPIRED',
  'MANIFEST_REQUIRES_UNKNOWN',
  'MANIFEST_BELOW_MINIMUM',
  'GROUP_MISSING',
  'ACTIVATION_UNFINISHED',
  // objects a manifest names
  'OBJECT_MISSING',
  'OBJECT_SIZE_MISMATCH',
  'OBJECT_DIGEST_MISMATCH',
  'RELEASE_MISMATCH',
  'RELEASE_PREVIEW_SCOPE',
  'RELEASE_QUARANTINED',
  // store
  'STORE_UNAVAILABLE',
  'STORE_TIMEOUT',
  'STORE_DENIED',
  'STORE_READ_ONLY',
  'STORE_NOT_CONDITIONAL',
  // loading a function
  'FUNCTION_SYNTAX',
  'FUNCTION_THROWS_AT_LOAD',
  'FUNCTION_LOAD_TIMEOUT',
  'FUNCTION_RUNAWAY',
  'FUNCTION_CRASHED',
  'CANARY_TRIPPED',
  'STABLE_TRIPPED',
  'STABLE_FAILING',
  'FUNCTION_NO_DEFAULT_EXPORT',
  'FUNCTION_BAD_DEFINITION',
  'FUNCTION_SCHEMA_INEXPRESSIBLE',
  'SERVICE_MISSING',
  'ROUTE_CONFLICT',
  // host
  'OPTIONS_INVALID',
  'CACHE_UNUSABLE',
  'RUNTIME_CLOSED',
] as const

export type RuntimeErrorCode = (typeof runtimeErrorCodes)[number]

export interface RuntimeErrorOptions {
  readonly cause?: unknown
  /** Machine-readable context: the key, function, digest or version concerned. */
  readonly details?: Readonly<Record<string, unknown>>
}

/** The one error class of this package. `message` says what happened and what to do next. */
export class RuntimeError extends Error {
  override readonly name = 'RuntimeError'
  readonly code: RuntimeErrorCode
  readonly details: Readonly<Record<string, unknown>>

  constructor(code: RuntimeErrorCode, message: string, options: RuntimeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.details = Object.freeze({ ...options.details })
  }
}

/** Whether `error` is a `RuntimeError`, optionally one with the given code. */
export function isRuntimeError(error: unknown, code?: RuntimeErrorCode): error is RuntimeError {
  return error instanceof RuntimeError && (code === undefined || error.code === code)
}
