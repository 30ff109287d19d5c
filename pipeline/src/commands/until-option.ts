import type { Command } from 'commander'
import { PipelineError } from '../errors.ts'

export interface UntilOption {
  /** As typed. */
  readonly until?: string
}

/** Adds `--until`: when somebody wants to be reminded of a hold. */
export function withUntilOption(command: Command): Command {
  return command.option('--until <time>', 'ISO 8601 time to look at it again; only reminds')
}

/** ISO 8601 in UTC; null when it was not given. @throws PipelineError `USAGE_INVALID` */
export function parseUntil({ until }: UntilOption): string | null {
  if (until === undefined) return null
  const time = /^\d{4}-\d\d-\d\d/.test(until) ? Date.parse(until) : Number.NaN
  if (Number.isNaN(time)) {
    throw new PipelineError(
      'USAGE_INVALID',
      `--until ${until} is no time. Write it as 2026-12-01 or 2026-12-01T09:00:00Z`,
    )
  }
  return new Date(time).toISOString()
}
