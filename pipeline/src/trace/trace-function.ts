import { changesOf } from '../plan/explain-change.ts'
import { toFunctionStates } from '../plan/function-states.ts'
import { type Facts, newestState } from './facts.ts'
import { knownReleases } from './find-subject.ts'
import { readOrigins } from './read-origins.ts'
import type { FunctionTrace } from './trace.ts'
import { concerning, tellHistory } from './traced-manifest.ts'
import { unknownOf } from './unknown-of.ts'

export async function traceFunction(name: string, facts: Facts): Promise<FunctionTrace> {
  const { question, history } = facts
  const state = newestState(history)
  const told = history.slice(0, question.limit)
  const releases = await readOrigins(
    knownReleases(told).filter((release) => release.function === name),
    question,
  )
  const manifests = tellHistory(
    facts,
    (current, before) =>
      changesOf(current, before)?.filter((change) => change.function === name) ?? null,
  )
  return {
    kind: 'function',
    environment: question.access.environment,
    function: name,
    state: toFunctionStates(state?.groups ?? {}).get(name) ?? null,
    quarantine: (state?.quarantine ?? []).filter((entry) => entry.function === name),
    instances: facts.serving(name),
    releases,
    history: concerning(manifests, name),
    unknown: unknownOf(releases, manifests, facts),
  }
}
