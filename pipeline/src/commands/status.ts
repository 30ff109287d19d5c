import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

/** `needle status`: what an environment should serve, who said so, and which instances lag. */
export function addStatusCommand(program: Command, io: CommandIo): void {
  withEnvironmentOptions(program.command('status'))
    .summary('show what an environment serves, holds and refuses, and who lags behind')
    .action(async (options: EnvironmentOptions) => {
      const { runStatus } = await import('./run-status.ts')
      await runStatus(io, options)
    })
}
