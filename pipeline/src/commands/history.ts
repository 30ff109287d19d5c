import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

export interface HistoryOptions extends EnvironmentOptions {
  readonly limit: string
}

/** `needle history`: who changed what, when and why. */
export function addHistoryCommand(program: Command, io: CommandIo): void {
  withEnvironmentOptions(program.command('history [function]'))
    .summary('list who changed an environment, or one function of it, when and why')
    .option('--limit <n>', 'how many manifests to look at', '20')
    .action(async (functionName: string | undefined, options: HistoryOptions) => {
      const { runHistory } = await import('./run-history.ts')
      await runHistory(io, options, functionName ?? null)
    })
}
