import { RuntimeError } from '../errors.ts'

/** What a failed file operation means to users of the store. Errors that are not the file system's pass through. */
export function fileError(
  error: unknown,
  context: { readonly location: string; readonly key: string; readonly write: boolean },
): unknown {
  if (!isErrno(error)) return error
  const { location, key, write } = context
  const options = { cause: error, details: { key, location } }
  switch (error.code) {
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return write
        ? new RuntimeError(
            'STORE_READ_ONLY',
            `${location} may not be written (${error.code}): give this user write permission or use another store`,
            options,
          )
        : new RuntimeError(
            'STORE_DENIED',
            `${location} may not be read (${error.code} at ${key}): give this user read permission`,
            options,
          )
    case 'EEXIST':
    case 'EISDIR':
    case 'ENOTDIR':
    case 'ENAMETOOLONG':
      return new RuntimeError(
        'OPTIONS_INVALID',
        `${key} cannot be a file in ${location} (${error.code}): it is a folder of other keys, lies below one that is an object, or has too long a name`,
        options,
      )
    case 'ENOSPC':
    case 'EDQUOT':
      return new RuntimeError(
        'STORE_UNAVAILABLE',
        `${location} is full (${error.code}): make room, then try again`,
        options,
      )
    case undefined:
    default:
      return new RuntimeError(
        'STORE_UNAVAILABLE',
        `${location} does not work (${error.code ?? error.message} at ${key}): see whether its disk is there and mounted`,
        options,
      )
  }
}

/** Whether this is a file-system error with one of these codes. */
export function hasErrno(error: unknown, ...codes: readonly string[]): boolean {
  return isErrno(error) && error.code !== undefined && codes.includes(error.code)
}

function isErrno(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error && 'code' in error
}
