import { type Digest, shortDigest } from '../manifest/digest.ts'
import type { Release } from '../manifest/release.ts'
import type { Call, Outcome } from './call.ts'

/** Release and artifact, loaded into a container of its own: what serves. Immutable but for its counters. */
export interface Revision {
  /** `<group>/<name>@<12 hex digits of the release digest>`. */
  readonly id: string
  readonly releaseDigest: Digest
  readonly release: Release
  /** Calls that have begun and not ended, streams included. */
  readonly inFlight: number
  /** The watchdog has ended an execution of it: it refuses every call. */
  readonly isRunaway: boolean
  /** Its first calls here have not all ended yet; see `Probation`. */
  readonly isOnProbation: boolean
  /** Never rejects; see `Outcome`. */
  invoke(call: Call): Promise<Outcome>
  /** Resolves when no call is in flight, or after `timeoutMs`; says which. */
  drained(timeoutMs: number): Promise<'drained' | 'timedOut'>
  /**
   * It serves no more, but may again: the calls in flight have `drainTimeoutMs` to end, then they are
   * ended; resolves to how many of them had to be. Null when there were none. While nobody calls it,
   * its timers are held.
   */
  standBy(drainTimeoutMs: number): Promise<number> | null
  /** It serves again. Idempotent. */
  resume(): void
  /** Answers the call whose execution was ended, and those that wait for their turn; the others go on. */
  stopRunaway(requestId: string | null): void
  /**
   * V8's code of what was compiled so far, to load it from next time; null when it was loaded from
   * such code, or is disposed of. Blocks for about a millisecond.
   */
  compiled(): Uint8Array | null
  /** Clears the timers, aborts what still runs and lets the context go. Idempotent. */
  dispose(): void
}

/** `<group>/<name>@<12 hex digits of the release digest>`. */
export function toRevisionId(functionName: string, release: Digest): string {
  return `${functionName}@${shortDigest(release)}`
}

/** The function of this revision, by its id. */
export function functionOf(revisionId: string): string {
  return revisionId.slice(0, revisionId.indexOf('@'))
}
