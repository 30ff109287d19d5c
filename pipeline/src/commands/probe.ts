import type { Command } from 'commander'
import { type CommandIo, type SharedOptions, withSharedOptions } from './command.ts'

export interface ProbeOptions extends SharedOptions {
  readonly body?: string
  readonly header: readonly string[]
}

/** `needle probe <function> <url>`: records a call of a function as an example of how to probe it. */
export function addProbeCommand(program: Command, io: CommandIo): void {
  withSharedOptions(program.command('probe <function> <url>'))
    .summary('call a function where it runs, and keep the call as a probe of it')
    .option('--body <json>', 'body of the call')
    .option('--header <name: value>', 'header of the call; may be repeated', collect, [])
    .action(async (functionName: string, url: string, options: ProbeOptions) => {
      const { runProbe } = await import('./run-probe.ts')
      await runProbe(io, { ...options, function: functionName, url })
    })
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value]
}
