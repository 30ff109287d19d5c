import { digestHex, shortDigest } from '@needle-faas/runtime/manifest'
import type { HistoryState } from '../environment-state/history-states.ts'
import { PipelineError } from '../errors.ts'
import { nearestFirst } from '../functions/near-names.ts'
import { releasesOf, toFunctionStates } from '../plan/function-states.ts'
import { isPairNamed, isReleaseNamed } from '../plan/pair.ts'
import type { TracedRelease } from './release-story.ts'

/** What a trace is about. */
export type Subject =
  | ({ readonly kind: 'release' } & TracedRelease)
  | { readonly kind: 'function'; readonly function: string }
  | { readonly kind: 'manifest'; readonly version: number }

/** How many candidates an error names. */
const candidatesShown = 12

/**
 * What somebody means by `shop/card@012345abcdef` (the revision header), `shop/card`, `42` or `v42`
 * (a manifest), the first digits of a release, an artifact or a manifest, or a quarantined pair.
 *
 * @throws PipelineError `TRACE_SUBJECT` when it means nothing here, or more than one thing;
 *   `details.candidates` are what could be meant.
 */
export function findSubject(
  typed: string,
  environment: string,
  history: readonly HistoryState[],
): Subject {
  const releases = knownReleases(history)
  const found = subjectsNamed(typed.trim(), history, releases)
  const [subject] = found
  if (subject !== undefined && found.length === 1) return subject
  const candidates =
    found.length > 0 ? found.map(formatSubject) : nearCandidates(typed, history, releases)
  const list = `${candidates.slice(0, candidatesShown).join(', ')}${candidates.length > candidatesShown ? `, and ${candidates.length - candidatesShown} more` : ''}`
  throw new PipelineError(
    'TRACE_SUBJECT',
    found.length > 0
      ? `"${typed}" means more than one thing in ${environment}: ${list}. Give more digits`
      : `Nothing in the newest ${history.length} manifests of ${environment} is called "${typed}". It takes the value of x-needle-revision, a function, the first digits of a release or artifact, or a manifest version. There are: ${list || 'none yet'}. --limit looks further back, --environment elsewhere`,
    { details: { candidates } },
  )
}

/** As it can be typed. */
export function formatSubject(subject: Subject): string {
  switch (subject.kind) {
    case 'release':
      return `${subject.function}@${shortDigest(subject.ref.release)}`
    case 'function':
      return subject.function
    case 'manifest':
      return `v${subject.version}`
    default:
      return subject satisfies never
  }
}

/** Every release the history names, newest first. */
export function knownReleases(history: readonly HistoryState[]): readonly TracedRelease[] {
  const found = new Map<string, TracedRelease>()
  for (const { state } of history) {
    for (const [name, each] of toFunctionStates(state?.groups ?? {})) {
      for (const ref of releasesOf(each)) {
        const key = `${name} ${ref.release}`
        if (!found.has(key)) found.set(key, { function: name, ref })
      }
    }
  }
  return [...found.values()]
}

function subjectsNamed(
  typed: string,
  history: readonly HistoryState[],
  releases: readonly TracedRelease[],
): readonly Subject[] {
  const [name = '', digits] = typed.split('@')
  if (digits !== undefined) {
    return releases
      .filter((each) => each.function === name && isReleaseNamed(each.ref, digits))
      .map(toSubject)
  }
  if (typed.includes('/')) {
    const isKnown = releases.some((release) => release.function === typed)
    return isKnown ? [{ kind: 'function', function: typed }] : []
  }
  const version = /^v?(\d{1,15})$/.exec(typed)?.[1]
  const versions = history
    .filter((entry) => entry.version === Number(version) || isManifestNamed(entry, typed))
    .map((entry): Subject => ({ kind: 'manifest', version: entry.version }))
  // Fewer digits are more likely a number than the beginning of a digest.
  const named = /^(?:sha256:)?[0-9a-f]{4,64}$/.test(typed)
    ? releases.filter(({ ref }) => isReleaseNamed(ref, typed))
    : typed.includes('+')
      ? releases.filter(({ ref }) => isPairNamed(ref, typed))
      : []
  return [...versions, ...named.map(toSubject)]
}

function toSubject(release: TracedRelease): Subject {
  return { kind: 'release', ...release }
}

function isManifestNamed({ manifest }: HistoryState, typed: string): boolean {
  const prefix = typed.replace('sha256:', '')
  return (
    manifest !== null &&
    /^[0-9a-f]{4,64}$/.test(prefix) &&
    digestHex(manifest.digest).startsWith(prefix)
  )
}

/** Releases of the function that was meant, else what there is at all, the nearest first. */
function nearCandidates(
  typed: string,
  history: readonly HistoryState[],
  releases: readonly TracedRelease[],
): readonly string[] {
  const [name] = typed.split('@')
  const own = releases.filter((release) => release.function === name)
  if (own.length > 0) return own.map((release) => formatSubject(toSubject(release)))
  const functions = nearestFirst(typed, new Set(releases.map((release) => release.function)))
  const versions = history.map(({ version }) => version)
  const range = versions.length === 0 ? [] : [`v${Math.min(...versions)}–v${Math.max(...versions)}`]
  return [...functions, ...range]
}
