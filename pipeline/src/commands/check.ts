import type { Command } from 'commander'
import { type CommandIo, finish, type SharedOptions, withSharedOptions } from './command.ts'

interface CheckOptions extends SharedOptions {
  readonly all?: boolean
  readonly base?: string
  readonly plan?: string
  readonly environment?: string
}

export function addCheckCommand(program: Command, io: CommandIo): void {
  withSharedOptions(program.command('check'))
    .summary('lint, types, tests, bundles, routes and services')
    .description(
      'Checks the functions that a change affects, and says which and why. By default it compares with the commit where the branch left origin/main.',
    )
    .option('--all', 'check every function')
    .option('--base <revision>', 'compare with this commit')
    .option('--plan <file>', 'skip what "needle plan" found released')
    .option('--environment <name>', 'demand the services of this environment')
    .action(async (options: CheckOptions) => {
      const { runCheck } = await import('../check/run-check.ts')
      finish(io, options, await runCheck(io, options))
    })
}
