import { type Decision, readDecisions } from '../environment-state/decisions.ts'
import type { HistoryState } from '../environment-state/history-states.ts'
import { headOf, type ManifestHead } from '../environment-state/manifest-head.ts'
import type { Facts } from './facts.ts'

/** A manifest and what it did. */
export interface TracedManifest<Event> extends ManifestHead {
  /** Null when what it named was pruned or is damaged. */
  readonly events: readonly Event[] | null
  readonly decisions: readonly Decision[]
}

/** What `tell` says of every manifest that is told of, newest first. */
export function tellHistory<Event>(
  { question, history }: Facts,
  tell: (current: HistoryState, before: HistoryState | undefined) => readonly Event[] | null,
): readonly TracedManifest<Event>[] {
  return history
    .slice(0, question.limit)
    .map((current, index) => toTraced(current, tell(current, history[index + 1])))
}

export function toTraced<Event>(
  told: HistoryState,
  events: readonly Event[] | null,
): TracedManifest<Event> {
  const decisions = told.manifest === null ? [] : readDecisions(told.manifest)
  return { ...headOf(told), events, decisions }
}

/** Those that did something, with the decisions about this function only. */
export function concerning<Event>(
  manifests: readonly TracedManifest<Event>[],
  functionName: string,
): readonly TracedManifest<Event>[] {
  return manifests
    .filter(({ events }) => events !== null && events.length > 0)
    .map((manifest) =>
      Object.assign({}, manifest, {
        decisions: manifest.decisions.filter((each) => each.function === functionName),
      }),
    )
}
