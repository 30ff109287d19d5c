import type { RoundOutcome } from './controller.ts'
import type { Decision, Verdict } from './decision.ts'

/** What watching rollouts came to when it ended. */
export interface Ending {
  /**
   * `successful`: all has arrived. `failed`: something was taken back, or is bad and stays.
   * `error`, `inconclusive`: something is left that cannot be measured, or has too little to tell.
   * `running`: what is left bakes, is frozen or wants approval.
   */
  readonly verdict: Exclude<Verdict, 'pending'>
  /** Full names of the functions that it is so because of, sorted. */
  readonly functions: readonly string[]
}

/** Functions that something may still become of without anybody doing anything but agree. */
export function functionsInMotion({ decisions }: RoundOutcome): readonly string[] {
  return namesOf(decisions, (decision) => !isPastHelp(decision))
}

/** Whether a look found nothing that a later one could move: no canary, no open rollback window. */
export function isSettled(outcome: RoundOutcome): boolean {
  const isStill = outcome.change?.isWritten !== true && outcome.deferred === 0
  return isStill && functionsInMotion(outcome).length === 0
}

/**
 * What it has come to, by the last look and the functions that were seen in motion in any. Whoever
 * took one of them back, this controller, another one or a person, it has failed; one that the next
 * merge overtook counts as what became of that.
 */
export function endingOf(last: RoundOutcome, watched: ReadonlySet<string>): Ending {
  const { decisions, takenBack } = last
  const failed = [
    ...takenBack.filter((name) => watched.has(name)),
    ...namesOf(decisions, ({ verdict }) => verdict === 'failed'),
  ]
  if (failed.length > 0) return { verdict: 'failed', functions: [...new Set(failed)].toSorted() }
  for (const verdict of ['error', 'inconclusive'] as const) {
    const functions = namesOf(decisions, (decision) => decision.verdict === verdict)
    if (functions.length > 0) return { verdict, functions }
  }
  const functions = functionsInMotion(last)
  if (functions.length > 0) return { verdict: 'running', functions }
  return { verdict: 'successful', functions: [...watched].toSorted() }
}

/** A stable that harms although nothing may be done about it any more, until a person acts. */
function isPastHelp({ kind, verdict }: Decision): boolean {
  return kind === 'hold' && verdict === 'failed'
}

function namesOf(
  decisions: readonly Decision[],
  holds: (decision: Decision) => boolean,
): readonly string[] {
  return decisions
    .filter(holds)
    .map(({ function: name }) => name)
    .toSorted()
}
