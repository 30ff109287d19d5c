import type { RuntimeErrorCode } from '../errors.ts'
import type { Digest } from './digest.ts'
import { knownFeatures, type Manifest } from './manifest.ts'
import type { TrustRoot } from './trust-root.ts'

/** How far this host's clock may run ahead of the publisher's before a fresh manifest looks expired. */
export const clockToleranceMs = 5 * 60 * 1000

/** The highest manifest ever accepted here; kept on disk, so that a restart forgets nothing. */
export interface SeenManifest {
  readonly epoch: number
  readonly version: number
  readonly digest: Digest
}

export interface ManifestCandidate {
  /** Its signatures verified (`verifyManifest`). */
  readonly candidate: Manifest
  /** Of its signed bytes. */
  readonly digest: Digest
  readonly seen: SeenManifest | null
  readonly environment: string
  /** The newest trust root known. */
  readonly root: TrustRoot
  /** Epoch milliseconds. */
  readonly now: number
  /** Oldest version the host takes; guards a start without a disk. */
  readonly minVersion?: number | undefined
  /** An expired manifest is better than an outage, and only than an outage. Default false. */
  readonly nothingServes?: boolean | undefined
}

export type Judgement =
  | { readonly verdict: 'accept' }
  /** The one already accepted, byte for byte. It may have expired meanwhile: see `isExpired`. */
  | { readonly verdict: 'same' }
  | { readonly verdict: 'refuse'; readonly code: RuntimeErrorCode; readonly message: string }

/**
 * Whether a verified manifest may become the desired state. Pure: no clock, no disk, no network.
 * A refusal leaves what serves as it is.
 */
export function judgeManifest(question: ManifestCandidate): Judgement {
  const { candidate, digest, seen, environment, root, now, minVersion } = question
  const { nothingServes = false } = question

  // Cross-environment replay: staging's manifest, validly signed, put where production polls.
  if (candidate.environment !== environment) {
    return refuse(
      'MANIFEST_WRONG_ENVIRONMENT',
      `it is for environment "${candidate.environment}", this is "${environment}"`,
    )
  }

  // Mix-and-match of trust: a manifest must be judged under the root it was made for or a later one.
  if (candidate.rootVersion > root.version) {
    return refuse(
      'ROOT_MISSING',
      `it names trust root ${candidate.rootVersion}, only roots up to ${root.version} are known`,
    )
  }
  // Fast-forward attack: a stolen release key claims an epoch that only the root role may raise.
  if (candidate.epoch > root.epoch) {
    return refuse(
      'ROOT_MISSING',
      `it claims epoch ${candidate.epoch}, trust root ${root.version} is at ${root.epoch}`,
    )
  }
  // Rollback across a recovery: whatever was signed before the root raised the epoch is void.
  if (candidate.epoch < root.epoch) {
    return refuse(
      'MANIFEST_OLDER',
      `it is of epoch ${candidate.epoch}, trust root ${root.version} has moved on to ${root.epoch}`,
    )
  }

  // Rollback attack on a host without memory: a start without a disk cannot know what was seen.
  if (minVersion !== undefined && candidate.version < minVersion) {
    return refuse(
      'MANIFEST_BELOW_MINIMUM',
      `version ${candidate.version} is below the host's minVersion ${minVersion}`,
    )
  }
  if (seen !== null && candidate.epoch === seen.epoch && candidate.version === seen.version) {
    if (digest === seen.digest) return { verdict: 'same' }
    // Fork: two histories, shown to different instances or written by two publishers at once.
    return refuse(
      'MANIFEST_FORKED',
      `version ${candidate.version} was accepted before with other bytes (${seen.digest}, now ${digest})`,
    )
  }
  // Rollback attack (TUF specification, 1.5.2): an old manifest, validly signed, is shown again.
  if (seen !== null && !isAbove(candidate, seen)) {
    return refuse(
      'MANIFEST_OLDER',
      `version ${candidate.epoch}.${candidate.version} is below ${seen.epoch}.${seen.version}, seen before`,
    )
  }
  // Indefinite freeze attack (TUF specification, 1.5.2): the world is kept at an old state.
  if (!nothingServes && isExpired(candidate, now)) {
    return refuse(
      'MANIFEST_EXPIRED',
      `it expired at ${candidate.expiresAt}; publish or run "needle refresh"`,
    )
  }
  // Half-understood state: a runtime too old for a feature must not act on the rest.
  const unknown = candidate.requires.filter((feature) => !knownFeatures.includes(feature))
  if (unknown.length > 0) {
    return refuse(
      'MANIFEST_REQUIRES_UNKNOWN',
      `it requires ${unknown.join(', ')}; upgrade this runtime`,
    )
  }
  return { verdict: 'accept' }
}

/** Whether the manifest's time is over, clock tolerance granted. */
export function isExpired(manifest: Pick<Manifest, 'expiresAt'>, now: number): boolean {
  return now > Date.parse(manifest.expiresAt) + clockToleranceMs
}

/** Order of manifests: epoch before version. */
export function isAbove(
  a: Pick<Manifest, 'epoch' | 'version'>,
  b: Pick<Manifest, 'epoch' | 'version'>,
): boolean {
  return a.epoch === b.epoch ? a.version > b.version : a.epoch > b.epoch
}

function refuse(code: RuntimeErrorCode, fault: string): Judgement {
  return { verdict: 'refuse', code, message: `Manifest refused: ${fault}` }
}
