import { setTimeout as delay } from 'node:timers/promises'
import { describeError } from '../describe-error.ts'
import type { Controller, RoundOutcome } from '../rollout/controller.ts'
import { type Ending, endingOf, functionsInMotion, isSettled } from '../rollout/ending.ts'
import type { CommandIo } from './command.ts'
import { isLasting } from './is-lasting.ts'

/** Longest pause after failures in a row, in milliseconds. */
const longestPauseMs = 60_000

export interface Watching {
  /** Between two looks, in milliseconds. */
  readonly intervalMs: number
  /** Runs with a fresh session, which also learns of new keys. */
  readonly withController: <Value>(
    run: (controller: Controller) => Promise<Value>,
  ) => Promise<Value>
  /** Called with each look worth telling. */
  readonly tell: (outcome: RoundOutcome) => void
  /** End when nothing is on its way any more. */
  readonly untilDone: boolean
  /** End after this many milliseconds, between two looks; Infinity: never. */
  readonly timeoutMs: number
}

/**
 * Looks again and again. What fails for a time (the store, a lost race) is told and tried again;
 * what no waiting mends ends it.
 *
 * @returns null when it was interrupted
 * @throws what a look throws, when waiting does not mend it or the time is over
 */
export async function watchRollouts(io: CommandIo, watching: Watching): Promise<Ending | null> {
  const { intervalMs, withController, tell, untilDone } = watching
  const { signal } = io
  const endsAt = performance.now() + watching.timeoutMs
  const pause = (pauseMs: number): Promise<void> =>
    delay(Math.max(0, Math.min(pauseMs, endsAt - performance.now())), undefined, { signal })
  const watched = new Set<string>()
  let hasLooked = false
  let failures = 0
  let said = ''
  const look = async (controller: Controller): Promise<Ending> => {
    for (;;) {
      const outcome = await controller.round()
      hasLooked = true
      failures = 0
      for (const name of functionsInMotion(outcome)) watched.add(name)
      const gist = gistOf(outcome)
      if (gist !== said || outcome.change?.isWritten) tell(outcome)
      said = gist
      const isOver = (untilDone && isSettled(outcome)) || performance.now() >= endsAt
      if (isOver) return endingOf(outcome, watched)
      if (outcome.deferred === 0) await pause(intervalMs)
    }
  }
  while (!signal.aborted) {
    try {
      return await withController(look)
    } catch (error) {
      if (signal.aborted) return null
      if (isLasting(error, hasLooked) || performance.now() >= endsAt) throw error
      failures++
      said = ''
      const pauseMs = Math.min(longestPauseMs, intervalMs * 2 ** failures) * Math.random()
      io.stderr(`${describeError(error, false).text}\nAgain in ${Math.ceil(pauseMs / 1000)} s.\n`)
      await pause(pauseMs).catch(() => undefined)
    }
  }
  return null
}

/** What must differ for a round to be worth telling: not how long something bakes still. */
function gistOf({ decisions }: RoundOutcome): string {
  return JSON.stringify(decisions.map(({ function: name, kind, verdict }) => [name, kind, verdict]))
}
