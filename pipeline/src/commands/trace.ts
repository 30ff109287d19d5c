import type { Command } from 'commander'
import type { CommandIo } from './command.ts'
import { type EnvironmentOptions, withEnvironmentOptions } from './environment-session.ts'

export interface TraceOptions extends EnvironmentOptions {
  readonly limit: string
}

/** `needle trace <what>`: from an answer or a digest to the commit, the people and every decision. */
export function addTraceCommand(program: Command, io: CommandIo): void {
  withEnvironmentOptions(program.command('trace <what>'))
    .summary('tell where a revision, function or manifest came from, and what became of it')
    .description(
      'Tells commit, author, pull request, approvers and build of what serves, every manifest that moved it with who, why and on what evidence, and which instances serve it now. <what> is the value of x-needle-revision (shop/card@012345abcdef), a function (shop/card), the first digits of a release or artifact, or a manifest version (42).',
    )
    .option('--limit <n>', 'how many manifests to look at', '200')
    .action(async (typed: string, options: TraceOptions) => {
      const { runTrace } = await import('./run-trace.ts')
      await runTrace(io, options, typed)
    })
}
