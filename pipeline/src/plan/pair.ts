import {
  type Digest,
  digestHex,
  type FunctionState,
  previousReleasesKept,
  type QuarantineEntry,
  findQuarantined,
  type ReleaseRef,
  shortDigest,
} from '@needle-faas/runtime/manifest'

/** What decides whether two releases are the same thing to serve. */
export type Pair = Pick<ReleaseRef, 'artifact' | 'settings'>

export function isSamePair(a: Pair, b: Pair): boolean {
  return a.artifact === b.artifact && a.settings === b.settings
}

/** `<artifact>+<settings>`, 12 hex digits each: what people copy into `needle clear --quarantine`. */
export function pairName(pair: Pair): string {
  return `${shortDigest(pair.artifact)}+${shortDigest(pair.settings)}`
}

/** Whether what a person typed (`<artifact prefix>` or `<artifact prefix>+<settings prefix>`) means this pair. */
export function isPairNamed(pair: Pair, typed: string): boolean {
  const [artifact = '', settings = ''] = typed.replaceAll('sha256:', '').split('+')
  return (
    artifact !== '' &&
    digestHex(pair.artifact).startsWith(artifact) &&
    digestHex(pair.settings).startsWith(settings)
  )
}

/** Whether what a person typed is a prefix of this release's digest or of its artifact's. */
export function isReleaseNamed(ref: ReleaseRef, typed: string): boolean {
  const prefix = typed.replace('sha256:', '')
  const startsWith = (digest: Digest): boolean => digestHex(digest).startsWith(prefix)
  return prefix !== '' && (startsWith(ref.release) || startsWith(ref.artifact))
}

/**
 * The proven releases to keep once `stable` serves: the outgoing one first, each pair once,
 * nothing quarantined.
 */
export function previousAfter(
  state: FunctionState,
  stable: ReleaseRef,
  quarantine: { readonly function: string; readonly entries: readonly QuarantineEntry[] },
): readonly ReleaseRef[] {
  const kept: ReleaseRef[] = []
  for (const candidate of [state.stable, ...state.previous]) {
    if (isSamePair(candidate, stable)) continue
    if (kept.some((ref) => isSamePair(ref, candidate))) continue
    if (findQuarantined(quarantine.entries, quarantine.function, candidate)) continue
    kept.push(candidate)
  }
  return kept.slice(0, previousReleasesKept)
}
