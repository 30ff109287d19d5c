import type { Command } from 'commander'
import { type CommandIo, type SharedOptions, withSharedOptions } from './command.ts'

interface DevOptions extends SharedOptions {
  readonly port: string
}

/** `needle dev`: a local server that reloads functions as they are saved. */
export function addDevCommand(program: Command, io: CommandIo): void {
  withSharedOptions(program.command('dev'))
    .summary('serve the functions here and reload them at each change')
    .option('--port <port>', 'port on loopback; the next free one is taken', '3000')
    .action(async (options: DevOptions) => {
      const { runDev } = await import('../dev/run-dev.ts')
      const { parsePort } = await import('./parse-port.ts')
      await runDev(io, { repository: options.repository, port: parsePort(options.port) })
    })
}
