import { shortDigest } from '@needle-faas/runtime/manifest'
import { createVerifiedReader, isRuntimeError } from '@needle-faas/runtime/store'
import pLimit from 'p-limit'
import { findPeople, type PullRequestPeople } from '../github/pull-request-people.ts'
import type { TraceQuestion } from './facts.ts'
import type { ReleaseOrigin } from './release-origin.ts'
import type { TracedRelease } from './release-story.ts'

/** Where releases came from, in their order. GitHub is asked once per pull request. */
export async function readOrigins(
  releases: readonly TracedRelease[],
  question: TraceQuestion,
): Promise<readonly ReleaseOrigin[]> {
  const people = new Map<string, Promise<PullRequestPeople | null>>()
  const limit = pLimit(8)
  return Promise.all(releases.map((release) => limit(() => readOrigin(release, question, people))))
}

async function readOrigin(
  { function: name, ref }: TracedRelease,
  { access, git, env }: TraceQuestion,
  people: Map<string, Promise<PullRequestPeople | null>>,
): Promise<ReleaseOrigin> {
  const read = await createVerifiedReader(access)
    .release(ref, name, { signal: access.signal })
    .catch((error: unknown) => {
      if (!isRuntimeError(error) || error.code.startsWith('STORE_')) throw error
      return `${error.code}: ${error.message}`
    })
  const release = typeof read === 'string' ? null : read.document
  const provenance = release?.provenance ?? null
  const { pullRequest, repository, commit } = provenance ?? {}
  const ask = (): Promise<PullRequestPeople | null> => {
    if (pullRequest == null) return Promise.resolve(null)
    const key = `${repository} ${pullRequest}`
    const asked =
      people.get(key) ??
      findPeople({ repository: repository ?? null, pullRequest, env, signal: access.signal })
    people.set(key, asked)
    return asked
  }
  const [found, subject] = await Promise.all([
    ask(),
    // A clone without the commit knows nothing of it, which is told as such.
    commit === undefined ? null : (git?.commit(commit).then(toSubject, () => null) ?? null),
  ])
  return {
    revision: `${name}@${shortDigest(ref.release)}`,
    function: name,
    ref,
    provenance,
    builtAt: release?.builtAt ?? null,
    contract: release?.contract ?? null,
    fault: typeof read === 'string' ? read : null,
    subject,
    people: found,
  }
}

function toSubject(commit: { readonly subject: string }): string {
  return commit.subject
}
