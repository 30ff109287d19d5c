import { styleText } from 'node:util'

/** What a measurement is to reach, and whether it did. Both null: it is only told. */
export interface Goal {
  readonly what: string
  readonly goal: string | null
  readonly isMet: boolean | null
}

/** What `--help` of every script with goals says of its exit code. */
export const goalsInHelp =
  'Exit code 1 when a goal is missed, however short the run, or when it could not measure; the last line names what was missed.'

/**
 * To be called once all is printed: when any goal is missed, a last line on standard error names
 * those, and the process will end with exit code 1.
 */
export function bindGoals(goals: readonly Goal[]): void {
  const missed = goals.filter(({ isMet }) => isMet === false)
  if (missed.length === 0) return
  const names = missed.map(({ what, goal }) => `${what} (${goal})`)
  console.error(styleText('red', `Missed: ${names.join('; ')}`, { stream: process.stderr }))
  process.exitCode = 1
}
