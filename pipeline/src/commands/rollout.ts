import type { Command } from 'commander'
import { exitCode } from '../exit-code.ts'
import type { CommandIo } from './command.ts'
import { type SigningOptions, withSigningOptions } from './environment-session.ts'

export interface RolloutOptions extends SigningOptions {
  readonly once?: boolean
  readonly watch?: boolean
  readonly untilDone?: boolean
  /** Seconds, as typed. */
  readonly timeout?: string
  readonly leaveUnfinished?: boolean
  /** Seconds, as typed. */
  readonly interval: string
  readonly prometheus?: string
}

/** `needle rollout`: steps, promotes and aborts canaries by what the instances measured. */
export function addRolloutCommand(program: Command, io: CommandIo): void {
  withSigningOptions(program.command('rollout'))
    .summary('move every rollout on, or back, by what the instances measured')
    .option('--once', 'look once and end (the default)')
    .option('--watch', 'go on until Ctrl-C')
    .option('--until-done', 'go on until no canary is on its way and no rollback window is open')
    .option('--timeout <seconds>', 'with --until-done: go on no longer than this')
    .option(
      '--leave-unfinished',
      `with --timeout: what goes well but takes longer is no failure (${exitCode.ok}, not ${exitCode.unsettled}); another run carries on`,
    )
    .option('--interval <seconds>', 'when it goes on: how long to wait between two looks', '5')
    .option('--prometheus <url>', 'where policies with a query are asked (NEEDLE_PROMETHEUS)')
    .addHelpText('after', exitCodes)
    .action(async (options: RolloutOptions) => {
      const { runRollout } = await import('./run-rollout.ts')
      await runRollout(io, options)
    })
}

const exitCodes = `
Exit codes of --until-done:
  ${exitCode.ok}    all arrived, or nothing was on its way
  ${exitCode.refused}    failed: something was taken back, or is bad and only a person may act
  ${exitCode.unavailable}    time is over: something cannot be measured, or the store is away
  ${exitCode.unsettled}    time is over: all goes well, and bakes, is frozen or wants approval
  ${exitCode.inconclusive}    time is over: inconclusive, as with too few calls to judge by
  ${exitCode.interrupted}  interrupted
A single look exits with ${exitCode.refused} or ${exitCode.unavailable} as well; what waits is no failure then. --watch exits with ${exitCode.ok} at Ctrl-C.`
