import { RuntimeError } from '../errors.ts'

/**
 * Refuses keys that some store could take for something else: empty segments, `.` and `..` (a way
 * out of a directory), control characters, unpaired surrogates, more than 1024 bytes (S3's limit).
 *
 * @throws RuntimeError `OPTIONS_INVALID`
 */
export function assertStoreKey(key: string): void {
  const fault =
    key === ''
      ? 'is empty'
      : Buffer.byteLength(key) > 1024
        ? 'has more than 1024 bytes'
        : /\p{Cc}/u.test(key) || !key.isWellFormed()
          ? 'holds characters that are no text'
          : key.split('/').some((segment) => ['', '.', '..'].includes(segment))
            ? 'has an empty segment, "." or ".."'
            : null
  if (fault !== null) {
    throw new RuntimeError(
      'OPTIONS_INVALID',
      `${JSON.stringify(key.slice(0, 100))} is no key: it ${fault}`,
    )
  }
}
