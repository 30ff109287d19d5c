import type { Contract, Provenance, ReleaseRef } from '@needle-faas/runtime/manifest'
import type { PullRequestPeople } from '../github/pull-request-people.ts'

/** A release and where it came from. */
export interface ReleaseOrigin {
  /** As `x-needle-revision` shows it. */
  readonly revision: string
  readonly function: string
  readonly ref: ReleaseRef
  /** Null when the release was pruned or is damaged; `fault` says which. */
  readonly provenance: Provenance | null
  readonly builtAt: string | null
  readonly contract: Contract | null
  readonly fault: string | null
  /** First line of the commit's message; null without a clone that has it. */
  readonly subject: string | null
  /** Null without a pull request, or where GitHub was not asked. */
  readonly people: PullRequestPeople | null
}
