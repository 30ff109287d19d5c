import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type SigningOptions, withSigningOptions } from './environment-session.ts'

export interface RolloutOptions extends SigningOptions {
  readonly watch?: boolean
  readonly interval: string
  readonly prometheus?: string
}

/** `needle rollout`: steps, promotes and aborts canaries by what the instances measured. */
export function addRolloutCommand(program: Command, io: CommandIo): void {
  withSigningOptions(program.command('rollout'))
    .summary('move every rollout on, or back, by what the instances measured')
    .option('--once', 'look once and end (the default)')
    .option('--watch', 'go on until Ctrl-C')
    .option('--interval <seconds>', 'with --watch: how long to wait between two looks', '5')
    .option('--prometheus <url>', 'where policies with a query are asked (NEEDLE_PROMETHEUS)')
    .action(async (options: RolloutOptions & { readonly once?: boolean }) => {
      const { runRollout } = await import('./run-rollout.ts')
      await runRollout(io, options)
    })
}
