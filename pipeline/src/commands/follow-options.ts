import type { Command } from 'commander'
import { PipelineError } from '../errors.ts'

export interface FollowOptions {
  /** Seconds, as typed. */
  readonly wait: string
}

/** Adds `--wait`: what commands take that show the fleet converging. */
export function withFollowOptions(command: Command): Command {
  return command.option(
    '--wait <seconds>',
    'how long to watch the instances follow; 0 looks once',
    '30',
  )
}

/** @throws PipelineError `USAGE_INVALID` */
export function parseWait({ wait }: FollowOptions): number {
  const seconds = wait.trim() === '' ? Number.NaN : Number(wait)
  if (seconds >= 0 && seconds <= 3600) return seconds * 1000
  throw new PipelineError('USAGE_INVALID', `--wait takes seconds from 0 to 3600, not "${wait}"`)
}
