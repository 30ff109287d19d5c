import type { RuntimeError, RuntimeErrorCode } from '../errors.ts'
import type { Digest } from '../manifest/digest.ts'
import { backoffDelayMs } from './poll-delay.ts'

export interface FailedRelease {
  readonly function: string
  readonly error: RuntimeError
  /** Epoch milliseconds of the first failure in a row. */
  readonly since: number
  readonly attempts: number
  /** Epoch milliseconds; null when another try could not end differently. */
  readonly retryAt: number | null
}

export interface Failure {
  readonly function: string
  readonly release: Digest
  readonly error: RuntimeError
  /** Epoch milliseconds. */
  readonly now: number
  /** When it is to be tried again, as of `FailedRelease`. Default: as its code says. */
  readonly retryAt?: number | null | undefined
}

export interface FailureMemory {
  record(failure: Failure): void
  /** The release worked. */
  forget(release: Digest): void
  get(release: Digest): FailedRelease | undefined
  /** Releases that are not to be tried now. */
  blocked(now: number): ReadonlySet<Digest>
  /** Whether some release may be tried again. */
  isDue(now: number): boolean
  /** Forgets releases nobody seeks any more, but for those that held up or ended the process. */
  keepSought(isSought: (failed: { function: string; release: Digest }) => boolean): void
}

/** Remembers which releases failed here, so that each is retried with back-off and none in a hot loop. */
export function createFailureMemory(options: {
  readonly retryBaseMs: number
  readonly random: () => number
}): FailureMemory {
  const failures = new Map<Digest, FailedRelease>()

  const retryAtOf = ({ error, now }: Failure, attempts: number): number | null =>
    isFinal(error.code) || (isStall(error) && attempts >= maxStalls)
      ? null
      : now + backoffDelayMs(options.retryBaseMs, attempts, options.random())

  return {
    record: (failure) => {
      const { function: name, release, error, now } = failure
      const known = failures.get(release)
      const attempts = (known?.attempts ?? 0) + 1
      failures.set(release, {
        function: name,
        error,
        since: known?.since ?? now,
        attempts,
        retryAt: failure.retryAt === undefined ? retryAtOf(failure, attempts) : failure.retryAt,
      })
    },
    forget: (release) => {
      failures.delete(release)
    },
    get: (release) => failures.get(release),
    blocked: (now) =>
      new Set(
        [...failures]
          .filter(([, failure]) => failure.retryAt === null || failure.retryAt > now)
          .map(([release]) => release),
      ),
    isDue: (now) =>
      [...failures.values()].some((failure) => failure.retryAt !== null && failure.retryAt <= now),
    keepSought: (isSought) => {
      for (const [release, { function: name, error }] of failures) {
        if (!isDangerous(error.code) && !isSought({ function: name, release })) {
          failures.delete(release)
        }
      }
    },
  }
}

/**
 * A load that took too long may have met a busy machine, but each try stops every other function
 * for as long.
 */
const maxStalls = 3

function mayEndOtherwise(code: RuntimeErrorCode): boolean {
  return code === 'FUNCTION_LOAD_TIMEOUT'
}

/** It computed all the time, other than one that hardly got the processor. */
function isStall({ code, details }: RuntimeError): boolean {
  return mayEndOtherwise(code) && details['starved'] !== true
}

/** It loads and harms: a rollback to it must not find it forgotten. */
function isDangerous(code: RuntimeErrorCode): boolean {
  return code === 'FUNCTION_RUNAWAY' || code === 'FUNCTION_CRASHED'
}

/**
 * Immutable code that does not load will not load next time, and trying costs the event loop. What
 * the store holds may be mended.
 */
function isFinal(code: RuntimeErrorCode): boolean {
  return (
    (code.startsWith('FUNCTION_') && !mayEndOtherwise(code)) ||
    code === 'SERVICE_MISSING' ||
    code === 'RELEASE_MISMATCH' ||
    code === 'RELEASE_PREVIEW_SCOPE'
  )
}
