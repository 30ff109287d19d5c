import type { Command } from 'commander'
import { type CommandIo, finish, type SharedOptions, withSharedOptions } from './command.ts'

interface BuildCommandOptions extends SharedOptions {
  readonly out: string
  readonly environment?: string
  readonly base?: string
  readonly plan?: string
}

export function addBuildCommand(program: Command, io: CommandIo): void {
  withSharedOptions(program.command('build'))
    .summary('bundle functions and read what they declare')
    .description(
      'Bundles functions, evaluates each once to read its settings and contract, and writes a build directory. Runs author code: give it no keys.',
    )
    .requiredOption('--out <directory>', 'where the build goes')
    .option(
      '--environment <name>',
      'demand the services of this environment; "pr-…" builds previews',
    )
    .option('--plan <file>', 'skip what "needle plan" found released')
    .option('--base <revision>', 'build only what differs from this commit; cannot be published')
    .action(async (options: BuildCommandOptions) => {
      const { runBuild } = await import('../build/run-build.ts')
      finish(io, options, await runBuild(io, options))
    })
}
