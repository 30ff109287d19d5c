import type { Command } from 'commander'
import { parseSeconds } from './parse-seconds.ts'

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
  return parseSeconds('--wait', wait, { from: 0, to: 3600 })
}
