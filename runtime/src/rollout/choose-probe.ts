/** A function whose canary may be probed. */
export interface ProbeCandidate {
  readonly function: string
  /** Example calls it declares, at least one. */
  readonly probes: number
  /** Calls of its canary here since the step began, by users and by probes. */
  readonly calls: number
  /** How many suffice to judge a step by. */
  readonly minimumCalls: number
}

export interface ProbeChoice {
  readonly function: string
  /** Index of the example call. */
  readonly probe: number
}

/**
 * Which function is probed next, and by which of its example calls: of those that users call too
 * little to judge the step by, the one that was probed least often, each of its calls in turn. Null when
 * all are called enough.
 *
 * @param rounds by function: how often it was probed
 */
export function chooseProbe(
  candidates: readonly ProbeCandidate[],
  rounds: ReadonlyMap<string, number>,
): ProbeChoice | null {
  let chosen: ProbeCandidate | null = null
  const roundsOf = (candidate: ProbeCandidate): number => rounds.get(candidate.function) ?? 0
  for (const candidate of candidates) {
    if (candidate.calls >= candidate.minimumCalls) continue
    if (chosen === null || roundsOf(candidate) < roundsOf(chosen)) chosen = candidate
  }
  return chosen === null
    ? null
    : { function: chosen.function, probe: roundsOf(chosen) % chosen.probes }
}
