import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

export interface KeysInitOptions extends EnvironmentOptions {
  readonly out: string
}

export interface KeysRotateOptions extends EnvironmentOptions {
  readonly out: string
  readonly key?: readonly string[]
  readonly add?: readonly string[]
  readonly remove?: readonly string[]
  readonly raiseEpoch?: boolean
  readonly force?: boolean
}

/** `needle keys init | list | rotate`: who may sign what. */
export function addKeysCommand(program: Command, io: CommandIo): void {
  const keys = program.command('keys').summary('make, list and change the keys that may sign')

  withEnvironmentOptions(keys.command('init'))
    .summary('make one key per role and the first trust root')
    .option('--out <directory>', 'where the private keys go', '.needle/keys')
    .action(async (options: KeysInitOptions) => {
      const { runKeysInit } = await import('./run-keys.ts')
      await runKeysInit(io, options)
    })

  withEnvironmentOptions(keys.command('list'))
    .summary('show who may sign what')
    .action(async (options: EnvironmentOptions) => {
      const { runKeysList } = await import('./run-keys.ts')
      await runKeysList(io, options)
    })

  withEnvironmentOptions(keys.command('rotate'))
    .summary('add and remove keys by a new trust root')
    .option('--out <directory>', 'where new private keys go', '.needle/keys')
    .option('--key <file...>', 'root keys to sign with (default: NEEDLE_ROOT_KEY)')
    .option('--add <role...>', 'give a role one more key: root, release, preview or operator')
    .option('--remove <id...>', 'take keys away, by id')
    .option('--raise-epoch', 'void every manifest signed so far')
    .option('--force', 'take keys away although what is live is signed by them alone')
    .action(async (options: KeysRotateOptions) => {
      const { runKeysRotate } = await import('./run-keys.ts')
      await runKeysRotate(io, options)
    })
}
