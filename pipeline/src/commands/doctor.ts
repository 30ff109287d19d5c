import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

/** `needle doctor`: finds out what would keep Needle from working here. */
export function addDoctorCommand(program: Command, io: CommandIo): void {
  withEnvironmentOptions(program.command('doctor'))
    .summary('check Git, configuration, trust, keys, store, clock and manifest')
    .action(async (options: EnvironmentOptions) => {
      const { runDoctor } = await import('./run-doctor.ts')
      await runDoctor(io, options)
    })
}
