import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

export interface PruneCommandOptions extends EnvironmentOptions {
  readonly days: string
  readonly silentDays: string
  readonly apply?: boolean
}

/** `needle prune`: deletes what no manifest of the last days names, and reports of instances long gone. */
export function addPruneCommand(program: Command, io: CommandIo): void {
  withEnvironmentOptions(program.command('prune'))
    .summary('delete what no manifest of the last days names, in any environment of the store')
    .option('--days <n>', 'how long what is no longer named stays', '30')
    .option('--silent-days <n>', 'how long the report of an instance stays that is silent', '7')
    .option('--dry-run', 'only tell what would go (the default)')
    .option('--apply', 'delete it')
    .action(async (options: PruneCommandOptions) => {
      const { runPrune } = await import('./run-prune.ts')
      await runPrune(io, options)
    })
}
