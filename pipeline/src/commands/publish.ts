import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type SigningOptions, withSigningOptions } from './environment-session.ts'

export interface PublishOptions extends SigningOptions {
  readonly build: string
  readonly canary?: string
  readonly steps?: string
  readonly reason?: string
  readonly allowOlder?: boolean
  readonly dryRun?: boolean
}

/** `needle publish`: makes an environment what a build's commit says. */
export function addPublishCommand(program: Command, io: CommandIo): void {
  withSigningOptions(program.command('publish'))
    .summary('sign a build and make the environment what its commit says')
    .option('--build <directory>', 'what needle build wrote', '.needle/build')
    .option('--canary <percent>', 'start changed functions at this weight')
    .option('--steps <percents>', 'weights of the rollout after it, as 50,100 (default: 100)')
    .option('--reason <text>', 'why (default: the subject of the commit)')
    .option('--allow-older', 'publish although the environment runs a newer commit; needs --reason')
    .option(
      '--dry-run',
      'tell what it would do: needs no key, writes nothing, takes a build of affected functions too',
    )
    .action(async (options: PublishOptions) => {
      const { runPublish } = await import('./run-publish.ts')
      await runPublish(io, options)
    })
}
