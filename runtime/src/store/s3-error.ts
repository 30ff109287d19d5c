import { isRuntimeError, RuntimeError, type RuntimeErrorCode } from '../errors.ts'

/** The HTTP status an SDK error came with; undefined when no answer came. */
export function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('$metadata' in error)) return undefined
  const metadata = error.$metadata
  if (typeof metadata !== 'object' || metadata === null) return undefined
  const status = 'httpStatusCode' in metadata ? metadata.httpStatusCode : undefined
  return typeof status === 'number' ? status : undefined
}

/**
 * Whether this answer to a conditional write leaves open who won: 412, 409, 500 and its kin, 404
 * for a replace of what is gone, and a connection that broke after the request was sent.
 */
export function isLostRace(error: unknown): boolean {
  if (isRuntimeError(error) || !(error instanceof Error)) return false
  if (error.name === 'NoSuchBucket' || error.name === 'AbortError') return false
  const status = statusOf(error)
  if (status === undefined) return isNetworkError(error)
  return [404, 409, 412, 500, 502, 503, 504].includes(status)
}

/** What a failed request means to users of the store, and what they can do about it. */
export function s3Error(
  error: unknown,
  context: {
    readonly key: string
    readonly write: boolean
    readonly location: string
    readonly endpoint: string | undefined
    readonly timedOut: boolean
    readonly requestTimeoutMs: number
  },
): unknown {
  const { key, write, location, endpoint, timedOut, requestTimeoutMs } = context
  const at = endpoint === undefined ? location : `${location} at ${endpoint}`
  const make = (code: RuntimeErrorCode, message: string): RuntimeError =>
    new RuntimeError(code, message, { cause: error, details: { key, location, status } })
  const status = statusOf(error)
  if (timedOut) {
    return make('STORE_TIMEOUT', `${at} did not answer for ${key} within ${requestTimeoutMs} ms`)
  }
  if (isRuntimeError(error) || !(error instanceof Error)) return error

  switch (error.name) {
    case 'NoSuchBucket':
      return make(
        'STORE_UNAVAILABLE',
        `${at}: there is no such bucket; create it or correct its name`,
      )
    case 'CredentialsProviderError':
      return make(
        'STORE_DENIED',
        `${at}: no credentials found; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give this machine a role`,
      )
    case 'InvalidAccessKeyId':
    case 'SignatureDoesNotMatch':
    case 'ExpiredToken':
    case 'InvalidToken':
      return make(
        'STORE_DENIED',
        `${at} does not know these credentials (${error.name}); renew them`,
      )
    case 'RequestTimeTooSkewed':
      return make('STORE_DENIED', `${at} refuses because this machine's clock is wrong; set it`)
    case 'PermanentRedirect':
    case 'AuthorizationHeaderMalformed':
    case 'IllegalLocationConstraintException':
      return make(
        'STORE_UNAVAILABLE',
        `${at} lies in another region (${error.message}); set "region"`,
      )
    default:
  }
  if (status === 501 || error.name === 'NotImplemented') {
    return write
      ? make(
          'STORE_NOT_CONDITIONAL',
          `${at} cannot write on a condition (${status} for ${key}); publishing needs a store that can`,
        )
      : make('STORE_UNAVAILABLE', `${at} does not implement what reading ${key} needs`)
  }
  if (status === 401 || status === 403) {
    return write
      ? make(
          'STORE_READ_ONLY',
          `${at} does not let these credentials write ${key}; they need s3:PutObject and s3:DeleteObject`,
        )
      : make(
          'STORE_DENIED',
          `${at} does not let these credentials read ${key}; they need s3:GetObject, and s3:ListBucket to tell what is missing`,
        )
  }
  if (status === 405 && write) {
    return make('STORE_READ_ONLY', `${at} takes no writes (405 for ${key})`)
  }
  if (error.message === 'Region is missing') {
    return make('OPTIONS_INVALID', `${at} needs a region: add ?region=… or set AWS_REGION`)
  }
  return make(
    'STORE_UNAVAILABLE',
    `${at} failed for ${key}: ${status === undefined ? reasonOf(error) : `${status} ${error.name}`}`,
  )
}

function isNetworkError(error: Error): boolean {
  return 'code' in error || error.name === 'TimeoutError'
}

/** Node.js reports several refused addresses as one error without a message. */
function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : ''
  return [code, error.message].filter((part) => part !== '').join(' ') || error.name
}
