import { canonicalJson } from './canonical-json.ts'
import { type Digest, digestOf } from './digest.ts'
import type { Settings } from './settings.ts'

/** The `settingsDigest` of a release: sha256 over the RFC 8785 canonical JSON of the settings. */
export function settingsDigestOf(settings: Settings): Digest {
  return digestOf(canonicalJson(settings))
}
